package author

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestTheAuthorShowsTheFieldOnOneLine(t *testing.T) {
	long := strings.Repeat("x", maxFromText-len(" <a@example.com>"))
	for _, tt := range []struct{ name, body, want string }{
		{"as it stands", " Joe <a@example.com>", "Joe <a@example.com>"},
		{"folded", " Joe\r\n\t<a@example.com>\r\n ", "Joe\t<a@example.com>"},
		{"with bare line ends", "Joe\r<a@example.com>\nx", "Joe <a@example.com> x"},
		{"not UTF-8", "J\xf6rg <a@example.com>", "J\uFFFDrg <a@example.com>"},
		{"as long as may be", long + " <a@example.com>", long + " <a@example.com>"},
		{"cut", long + "x <a@example.com>", long + "x <a@example.com"},
	} {
		if got := Parse(tt.body).From; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTheAuthorCountsFieldsAndMailboxes(t *testing.T) {
	for _, tt := range []struct {
		header            string
		fields, mailboxes int
	}{
		{"From: a@one.example\r\n", 1, 1},
		{"From: a@one.example, b@one.example\r\n", 1, 2},
		{"From: a@one.example, b@one.example\r\nFrom: c@two.example\r\nFrom: d@three.example\r\n", 2, 3},
		{"From: Kock, A <a@one.example>\r\n", 1, 1},
		{"Subject: x\r\n", 0, 0},
	} {
		if a := ofHeader(tt.header); a.Fields != tt.fields || a.Mailboxes != tt.mailboxes {
			t.Errorf("%q: %d fields, %d mailboxes; want %d, %d", tt.header, a.Fields, a.Mailboxes, tt.fields, tt.mailboxes)
		}
	}
}

func TestAtMostTwentyMailboxesAreRead(t *testing.T) {
	list := strings.TrimSuffix(strings.Repeat("a@one.example, ", maxMailboxes), ", ")
	if a := Parse(list); a.Err != nil || a.Mailboxes != maxMailboxes {
		t.Errorf("%d mailboxes: %v", a.Mailboxes, a.Err)
	}
	if a := Parse(list + ", a@one.example"); !errors.Is(a.Err, ErrTooManyMailboxes) {
		t.Errorf("one more: %v", a.Err)
	}
}

func TestCommentsNestAHundredDeep(t *testing.T) {
	nested := func(n int) string {
		return strings.Repeat("(", n) + strings.Repeat(")", n) + " a@one.example, a@one.example"
	}
	if a := Parse(nested(maxNesting)); a.Err != nil {
		t.Error(a.Err)
	}
	if a := Parse(nested(maxNesting + 1)); !errors.Is(a.Err, ErrSyntax) {
		t.Errorf("one deeper: %v", a.Err)
	}
}

func TestAnAuthorSurvivesJSON(t *testing.T) {
	for _, from := range []string{"Joe <a@example.com>", "Kock, A <a@example.com>", "a@one.example, b@two.example", "a@[192.0.2.1]", "a@192.0.2.1", "", "x"} {
		a := Parse(from)
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if byPointer, err := json.Marshal(&a); err != nil || string(byPointer) != string(text) {
			t.Errorf("%s by pointer, %s by value (%v)", byPointer, text, err)
		}
		var back Author
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if back.String() != a.String() || causes.Code(back.Err) != causes.Code(a.Err) || (back.Err == nil) != (a.Err == nil) {
			t.Errorf("%s came back as %v (%v)", text, back, back.Err)
		}
		a.Err, back.Err = nil, nil
		if !reflect.DeepEqual(a, back) {
			t.Errorf("%+v came back as %+v", a, back)
		}
	}
	if err := new(Author).UnmarshalJSON([]byte(`{"fields": "x"}`)); err == nil {
		t.Error("what is no author is read")
	}
}

func TestAnAuthorIsOneLine(t *testing.T) {
	for from, want := range map[string]string{
		"a@example.com":                "example.com",
		"a@one.example, b@two.example": "the From field has mailboxes of more than one domain",
		"":                             "the From field has no mailbox",
	} {
		if got := Parse(from).String(); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
	if got := (Author{Err: errors.New("a\r\nb")}).String(); got != `a\r\nb` {
		t.Errorf("%q", got)
	}
}

func TestEveryKindOfProblemHasAWordAndADetail(t *testing.T) {
	for kind := range problemKinds {
		text, err := kind.MarshalText()
		var back ProblemKind
		if err != nil || back.UnmarshalText(text) != nil || back != kind || problemDetails[kind] == "" || !strings.HasPrefix(kind.String(), "from-") {
			t.Errorf("%d: %s, %v, %q", kind, text, err, problemDetails[kind])
		}
	}
}
