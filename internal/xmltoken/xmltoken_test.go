package xmltoken

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// tokens returns all tokens of a document as text: the text before each tag, and the tag.
func tokens(in io.Reader) (list []string, faults []Fault, err error) {
	r := NewReader(in)
	r.Keep, r.MaxText = true, 1<<20
	r.Fault = func(f Fault) { faults = append(faults, f) }
	for {
		t, err := r.Next()
		if err == io.EOF {
			return list, faults, nil
		}
		if err != nil {
			return list, faults, err
		}
		if len(t.Text) > 0 {
			list = append(list, string(t.Text))
		}
		tag := "<" + t.Name
		for _, n := range t.Namespaces {
			tag += " " + n.Prefix + "=" + n.URI
		}
		if t.Kind == End {
			tag = "</" + t.Name
		}
		list = append(list, tag+">")
	}
}

func TestTokens(t *testing.T) {
	for _, row := range []struct {
		text string
		want []string
	}{
		{"<a>x</a>", []string{"<a>", "x", "</a>"}},
		{"<a/>", []string{"<a>", "</a>"}},
		{"<a />x<b>", []string{"<a>", "</a>", "x", "<b>"}},
		{"<a b='<' c=\">\"/>", []string{"<a>", "</a>"}},
		{"<a b=1 c>x</a>", []string{"<a b=1 c>x", "</a>"}},
		{"<a b=c/>", []string{"<a>", "</a>"}},
		{"<n:a xmlns:n='urn:x' xmlns=\"urn:y\" b='z'>", []string{"<n:a n=urn:x =urn:y>"}},
		{"</a >", []string{"</a>"}},
		{"</a b>x<c>", []string{"</a b>x", "<c>"}},
		{"< a>x<c>", []string{"< a>x", "<c>"}},
		{"<1>x<c>", []string{"<1>x", "<c>"}},
		{"<a@b>x<c>", []string{"<a@b>x", "<c>"}},
		{"<a/b>x<c>", []string{"<a/b>x", "<c>"}},
		{"<a b=>x<c>", []string{"<a b=>x", "<c>"}},
		{"<<a>", []string{"<", "<a>"}},
		{"<>", nil},
		{"x<!--<a>-->y<c>", []string{"xy", "<c>"}},
		{"x<!--->-->y<c>", []string{"xy", "<c>"}},
		{"<!-x><c>", []string{"<!-x>", "<c>"}},
		{"x<![CDATA[<a>&lt;]]]>y&lt;<c>", []string{"x<a>&lt;]y<", "<c>"}},
		{"<?x <a> ?>y<c>", []string{"y", "<c>"}},
		{"<?xml version='1.0'>y<c>", []string{"y", "<c>"}},
		{"a&lt;&gt;&amp;&apos;&quot;&#65;&#x42;<c>", []string{"a<>&'\"AB", "<c>"}},
		{"a&nbsp;&#0;&#xFFFE;&#xD800;&#x110000;&;&#;&<c>", []string{"a&nbsp;&#0;&#xFFFE;&#xD800;&#x110000;&;&#;&", "<c>"}},
		{"a\x00\x1f\xff\uffff\ufffd\t\r\n<c>", []string{"a\ufffd\ufffd\ufffd\ufffd\ufffd\t\r\n", "<c>"}},
		{"<b\xffc>", []string{"<b\ufffdc>"}},
		{"<a" + strings.Repeat(" ", maxTag) + "><c>", []string{"<a" + strings.Repeat(" ", maxTag) + ">", "<c>"}},
		{strings.Repeat("x", 3*bufferSize) + "<c>", []string{strings.Repeat("x", 3*bufferSize), "<c>"}},
		{"<!--" + strings.Repeat("-", 3*bufferSize) + "--><c>", []string{"<c>"}},
		{"<c", nil},
		{"<!--x", nil},
		{"<![CDATA[x", nil},
		{"<!", nil},
		{"", nil},
	} {
		name := row.text[:min(len(row.text), 40)]
		for how, in := range map[string]io.Reader{
			"":                strings.NewReader(row.text),
			" octet by octet": iotest.OneByteReader(strings.NewReader(row.text)),
			" with EOF":       iotest.DataErrReader(strings.NewReader(row.text)),
		} {
			if got, _, err := tokens(in); err != nil || !slices.Equal(got, row.want) {
				t.Errorf("%q%s: %.200q, error %v, want %.200q", name, how, got, err, row.want)
			}
		}
	}
}

func TestRepairsAreTold(t *testing.T) {
	for text, want := range map[string][]Fault{
		"<a>b &amp; c</a>":          nil,
		"<a>b & c</a>":              {FaultReference},
		"<a>b < c</a>":              {FaultMarkup},
		"<a>b\x00c\xff</a>":         {FaultOctets, FaultOctets},
		"<a><![CDATA[& < \t]]></a>": nil,
	} {
		if _, got, err := tokens(strings.NewReader(text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, error %v, want %v", text, got, err, want)
		}
	}
}

func TestThePrologSaysWhatOctetsThatAreNotUTF8Are(t *testing.T) {
	for encoding, want := range map[string]string{
		"UTF-8": "\ufffd€", "utf-16": "\ufffd€", "ISO-8859-1": "ü€", "windows-1252": "ü€", "ISO-8859-15": "\ufffd€", "us-ascii": "ü€",
	} {
		got, _, err := tokens(strings.NewReader("<?xml version='1.0' encoding='" + encoding + "'?>\xfc€<a>"))
		if err != nil || len(got) != 2 || got[0] != want {
			t.Errorf("%s: %q, error %v, want %q", encoding, got, err, want)
		}
	}
}

func TestWhatIsNotRead(t *testing.T) {
	for _, text := range []string{"<!DOCTYPE a>", "<!doctype a [<!ENTITY b 'c'>]>", "<!ENTITY b 'c'>", "<a><!ELEMENT>"} {
		if _, _, err := tokens(strings.NewReader(text)); err != ErrDTD {
			t.Errorf("%q: error %v", text, err)
		}
	}
	for _, text := range []string{"xxxxx", "xx<![CDATA[xxx", "<a>xx<b", "<", "<1<1<1"} {
		r := NewReader(strings.NewReader(text + "xxxx<c>"))
		r.Keep, r.MaxText = true, 4
		err := error(nil)
		for err == nil {
			_, err = r.Next()
		}
		if err != ErrText {
			t.Errorf("%q: error %v", text, err)
		}
	}
	r := NewReader(strings.NewReader(strings.Repeat("x", 1<<20) + "<c>"))
	if _, err := r.Next(); err != nil {
		t.Errorf("text that nobody asked for: %v", err)
	}
}

func TestLinesAreCounted(t *testing.T) {
	r := NewReader(strings.NewReader("\n<a\n>\n<!--\n-->\n<b/>"))
	for _, want := range []int{3, 6, 6} {
		if _, err := r.Next(); err != nil || r.Line() != want {
			t.Errorf("line %d, error %v, want %d", r.Line(), err, want)
		}
	}
}

func TestAReaderThatGivesNothingDoesNotHang(t *testing.T) {
	if _, err := NewReader(nothing{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v", err)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// FuzzTokens compares with encoding/xml what that can read too.
func FuzzTokens(f *testing.F) {
	for _, text := range []string{
		"<a>x</a>", "<?xml version='1.0'?><a b='c'>x&amp;<![CDATA[<]]>y<b/></a>", "<n:a xmlns:n='u'>\u00fc<!-- c --></n:a>", "<a>&#x41;&lt;</a>",
		"<\xfc xmlns:\xfc='\xfc'>\xfc</\xfc>",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, faults, err := tokens(bytes.NewReader(text))
		for _, s := range got {
			if !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
		}
		want, ok := standardTokens(text)
		if !ok {
			return
		}
		joined := strings.ReplaceAll(strings.ReplaceAll(strings.Join(got, "\n"), "\r\n", "\n"), "\r", "\n")
		if err != nil || len(faults) > 0 || joined != strings.Join(want, "\n") {
			t.Errorf("%q: %q, faults %v, error %v, want %q", text, got, faults, err, want)
		}
	})
}

// standardTokens is tokens by encoding/xml. What the two are meant to read differently is not ok.
func standardTokens(text []byte) (list []string, ok bool) {
	if bytes.Contains(text, []byte("<!")) && !bytes.Contains(text, []byte("<!--")) && !bytes.Contains(text, []byte("<![CDATA[")) {
		return nil, false // declarations
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	var before strings.Builder
	depth := 0
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return list, depth == 0
		}
		if err != nil {
			return nil, false
		}
		tag := ""
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			tag = "<" + fullName(token.Name)
			for _, a := range token.Attr {
				if a.Name.Space == "xmlns" || a.Name == (xml.Name{Local: "xmlns"}) {
					if strings.ContainsAny(a.Value, "&<\"'\r") || bytes.ContainsAny(text, "&\r") {
						return nil, false // references in attributes are not read
					}
					prefix := a.Name.Local
					if a.Name.Space == "" {
						prefix = ""
					}
					tag += " " + prefix + "=" + a.Value
				} else if strings.Contains(fullName(a.Name), "xmlns") {
					return nil, false
				}
			}
		case xml.EndElement:
			depth--
			tag = "</" + fullName(token.Name)
		case xml.CharData:
			before.Write(token)
			continue
		case xml.ProcInst:
			if bytes.ContainsRune(token.Inst, '>') || strings.HasPrefix(token.Target, "xml") && token.Target != "xml" {
				return nil, false
			}
			continue
		case xml.Directive:
			return nil, false
		default:
			continue
		}
		if before.Len() > 0 {
			list = append(list, before.String())
			before.Reset()
		}
		list = append(list, tag+">")
	}
}

func fullName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return fmt.Sprintf("%s:%s", n.Space, n.Local)
}
