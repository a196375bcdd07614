package header

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	type field struct{ name, body string }
	tests := []struct {
		name  string
		block string
		want  []field
		err   error
		line  int
	}{
		{"fields stand in the order of the message",
			"A: 1\r\nB:2\r\n", []field{{"A", " 1"}, {"B", "2"}}, nil, 0},
		{"a block without its last CRLF is read to its end",
			"A: 1\r\nB: 2", []field{{"A", " 1"}, {"B", " 2"}}, nil, 0},
		{"an empty block has no fields and no fault",
			"", nil, nil, 0},
		{"folding stays in the body",
			"A: 1\r\n\t2\r\n 3\r\nB:\r\n", []field{{"A", " 1\r\n\t2\r\n 3"}, {"B", ""}}, nil, 0},
		{"only the first colon ends the name",
			"A: b: c\r\n", []field{{"A", " b: c"}}, nil, 0},
		{"white space before the colon is a fault and not part of the name",
			"A: 1\r\nFrom \t: x\r\n", []field{{"A", " 1"}, {"From", " x"}}, ErrSpaceBeforeColon, 2},
		{"a name folded before its colon is a fault and not part of the name",
			"From\r\n : x\r\n", []field{{"From", " x"}}, ErrSpaceBeforeColon, 1},
		{"a line without a colon is a fault",
			"A: 1\r\nhello\r\n", []field{{"A", " 1"}, {"", ""}}, ErrNoColon, 2},
		{"a first line that begins with white space is a fault",
			" From: x\r\nTo: y\r\n", []field{{"", " x"}, {"To", " y"}}, ErrLeadingSpace, 1},
		{"a line of white space is a fault and continues the field",
			"A: 1\r\n \t\r\n\r\n", []field{{"A", " 1\r\n \t"}, {"", ""}}, ErrBlankLine, 2},
		{"an empty name is a fault",
			": x\r\n", []field{{"", " x"}}, ErrName, 1},
		{"a space within the name is a fault",
			"From x: y\r\n", []field{{"", " y"}}, ErrName, 1},
		{"a name with an octet above ASCII is a fault",
			"Fr\u00f6m: y\r\n", []field{{"", " y"}}, ErrName, 1},
		{"a NUL is a fault",
			"A: 1\r\nB: \x00\r\n", []field{{"A", " 1"}, {"B", " \x00"}}, ErrNUL, 2},
		{"a bare CR is a fault and ends no line",
			"A: 1\rB: 2\r\n", []field{{"A", " 1\rB: 2"}}, ErrBareCR, 1},
		{"a bare LF is a fault and ends no line",
			"A: 1\r\nB: 2\nFrom: 3\r\n", []field{{"A", " 1"}, {"B", " 2\nFrom: 3"}}, ErrBareLF, 2},
		{"a CR at the end of the block is bare",
			"A: 1\r", []field{{"A", " 1\r"}}, ErrBareCR, 1},
		{"of two faults the upper one is told",
			"A: 1\r\nB: \n\r\nno colon\r\n", []field{{"A", " 1"}, {"B", " \n"}, {"", ""}}, ErrBareLF, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := Parse([]byte(test.block))
			var got []field
			for _, f := range h.Fields {
				got = append(got, field{string(f.Name()), string(f.Body())})
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want) {
				t.Errorf("fields %q, want %q", got, test.want)
			}
			if !errors.Is(h.Err, test.err) || (h.Err == nil) != (test.err == nil) {
				t.Fatalf("Err = %v, want %v", h.Err, test.err)
			}
			if test.err != nil && !strings.HasPrefix(h.Err.Error(), fmt.Sprintf("header line %d: ", test.line)) {
				t.Errorf("Err = %v, want line %d", h.Err, test.line)
			}
		})
	}
}

func TestFieldNamesFoldOnlyASCII(t *testing.T) {
	h := Parse([]byte("FROM: 1\r\n\u212aey: 2\r\nKey: 3\r\n"))
	if !h.Fields[0].Is("from") || h.Fields[0].Is("fro") || h.Fields[0].Is("") {
		t.Error("FROM is from, and nothing else")
	}
	if h.Fields[1].Is("key") || h.Fields[1].Is("") {
		t.Error("KELVIN SIGN is not a k")
	}
	if !h.Fields[2].Is("key") {
		t.Error("Key is key")
	}
}

func TestUnfold(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		" one line ":        " one line ",
		" a\r\n\tb\r\n c":   " a\tb c",
		"\r\n folded first": " folded first",
		"\r\n":              "",
		"bare\nlf\rcr":      "bare\nlf\rcr",
	} {
		if got := Unfold([]byte(in)); got != want {
			t.Errorf("Unfold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIndexFindsFieldsOfANameFromTheBottom(t *testing.T) {
	h := Parse([]byte("To: 1\r\nX: 2\r\nTO : 3\r\nbroken\r\nto: 4\r\n"))
	var x Index
	x.Build(h.Fields)
	var got []int
	slot, i := x.Slot("tO")
	for ; i >= 0; i = x.Above(i) {
		got = append(got, i)
	}
	if fmt.Sprint(got) != "[4 2 0]" {
		t.Errorf("fields %v, want [4 2 0]", got)
	}
	if same, _ := x.Slot("TO"); same != slot || slot >= x.Slots() {
		t.Errorf("slots %d and %d of %d for one name", slot, same, x.Slots())
	}
	if got := fmt.Sprintf("%s %s %q", h.Fields[1].LowerName(), h.Fields[2].LowerName(), h.Fields[3].LowerName()); got != `x to ""` {
		t.Errorf("names %s", got)
	}
	if _, i := x.Slot("broken"); i != -1 {
		t.Errorf("a field without a name was found at %d", i)
	}
}

func TestEveryNameIsFoundAmongAThousand(t *testing.T) {
	var block bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&block, "X-%d: 1\r\n", i)
	}
	h := Parse(block.Bytes())
	var x Index
	x.Build(h.Fields)
	for i := range 10_000 {
		_, found := x.Slot(fmt.Sprintf("x-%d", i))
		if want := i; i < 1000 && found != want || i >= 1000 && found != -1 {
			t.Fatalf("x-%d is field %d", i, found)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "A: 1\r\n", " x\r\n\r\n", "A : 1\r\n\tb\r\n:\r\n", "a\rb\nc\x00:\r\n", "\r\n\r\n", "\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		h := Parse(block)
		var joined []byte
		for i, field := range h.Fields {
			if i > 0 {
				joined = append(joined, crlf...)
			}
			joined = append(joined, field.Raw()...)
			if len(field.Name()) > 0 && !IsName(field.Name()) {
				t.Fatalf("name %q", field.Name())
			}
		}
		if len(h.Fields) > 0 && bytes.HasSuffix(block, crlf) {
			joined = append(joined, crlf...)
		}
		if !bytes.Equal(joined, block) {
			t.Fatalf("fields make up %q, not %q", joined, block)
		}
		var x Index
		x.Build(h.Fields)
		for _, field := range h.Fields {
			if _, bottom := x.Slot(string(field.Name())); len(field.Name()) > 0 && bottom < 0 {
				t.Fatalf("%q is not in the index", field.Name())
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	block := []byte(strings.Repeat("Received: from a.example by b.example;\r\n\tMon, 1 Jun 2026 11:59:00 +0000\r\n", 20))
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(block)
	}
}
