package authres

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/suite"
)

func TestConformanceRFC8601(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(suite.Dir(t), "authres", "rfc8601.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		ID, Field   string
		Expect      *Field
		ExpectError bool `json:"expect_error"`
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	s := suite.New(t, "authres/rfc8601")
	for _, row := range rows {
		s.Run(row.ID, func(t *testing.T) {
			got, err := Parse(row.Field)
			switch {
			case row.ExpectError && err == nil:
				t.Errorf("%q was read as %+v, want an error", row.Field, got)
			case row.ExpectError:
			case err != nil:
				t.Errorf("%q: %v", row.Field, err)
			case !reflect.DeepEqual(got, row.Expect):
				t.Errorf("%q: got %+v, want %+v", row.Field, got, row.Expect)
			}
		})
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, field string
		want        string // method=result pairs
	}{
		{"a semicolon in a comment parts no results", "mx; spf=fail (; dkim=pass) smtp.helo=a", "spf=fail"},
		{"a semicolon in quotes parts no results", `mx; spf=fail reason="; dkim=pass"`, "spf=fail"},
		{"a quote escaped in quotes does not end them", `mx; spf=fail reason="\"; dkim=pass"`, "spf=fail"},
		{"a parenthesis escaped in a comment does not end it", `mx; spf=fail (\); dkim=pass)`, "spf=fail"},
		{"a quote in a comment begins no quoted string", `mx; spf=fail (") smtp.helo=a (; dkim=pass ")`, "spf=fail"},
		{"a quoted string in a comment hides no parenthesis", `mx; spf=fail (")"; dkim=pass`, ""},
		{"a semicolon in nested comments parts no results", "mx; spf=fail (a (b; dkim=pass) c; dkim=pass) smtp.helo=a", "spf=fail"},
		{"a comment in a comment has an end of its own", "mx; spf=fail (a (b) c) smtp.helo=a; dkim=none", "spf=fail dkim=none"},
		{"a parenthesis in quotes begins no comment", `mx; spf=fail reason="("; dkim=none (")`, "spf=fail dkim=none"},
		{"a tab and a fold in a comment", "mx; spf=fail (a\tb\r\n c) smtp.helo=a", "spf=fail"},
		{"a quoted tab in a comment and in quotes", "mx; spf=fail (a\\\tb\\ c) reason=\"a\\\tb\"", "spf=fail"},
		{"a no-break space in a comment", "mx; spf=fail (\u00a0) smtp.helo=a", "spf=fail"},
		{"dots anywhere in a quoted local part", `mx; spf=fail smtp.mailfrom=".a..b."@news.example`, "spf=fail"},
		{"a comment between all parts", "(a)mx(b)1(c);(d)spf(e)/(f)1(g)=(h)fail (i)reason(j)=(k)x (l)smtp(m).(n)helo(o)=(p)y(q)", "spf=fail"},
		{"words are read without regard to case", "mx; SPF=Pass SMTP.MailFrom=a.example", "spf=pass"},
		{"UTF-8 stands in values and comments", `mx; spf=pass (bücher) smtp.mailfrom=bücher.example`, "spf=pass"},
		{"the final line end may be there", "mx; spf=pass\r\n", "spf=pass"},
		{"a method may have a version", "mx; spf/1=pass", "spf=pass"},
		{"white space may fill lines of its own", "mx;\r\n \r\n\tspf=pass", "spf=pass"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Parse("Authentication-Results: " + test.field)
			if test.want == "" {
				if !errors.Is(err, ErrSyntax) {
					t.Errorf("read as %+v, %v", f, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := pairs(f); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func pairs(f *Field) string {
	var list []string
	for _, r := range f.Results {
		list = append(list, r.Method+"="+r.Value)
	}
	return strings.Join(list, " ")
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, field string
		want        error
	}{
		{"another field", "Received-SPF: pass", ErrName},
		{"a name with a letter that only folds to ASCII", "Authentication-Re\u017fults: mx; none", ErrName},
		{"white space before the colon", "Authentication-Results : mx; none", ErrName},
		{"a field without an authserv-id", "Authentication-Results: spf=pass smtp.helo=a", ErrSyntax},
		{"a version it does not know", "Authentication-Results: mx 2; spf=pass", ErrVersion},
		{"version 0", "Authentication-Results: mx 0; spf=pass", ErrVersion},
		{"version 0 of a method", "Authentication-Results: mx; spf/0=pass", ErrVersion},
		{"a version behind a slash", "Authentication-Results: mx/1; spf=pass", ErrSyntax},
		{"an underscore in a result", "Authentication-Results: mx; dkim=perm_fail", ErrSyntax},
		{"a bare LF", "Authentication-Results: mx;\n spf=pass", ErrSyntax},
		{"a line end that is no fold", "Authentication-Results: mx;\r\nspf=pass", ErrSyntax},
		{"a NUL", "Authentication-Results: mx; spf=pass (\x00)", ErrSyntax},
		{"an escape sequence", "Authentication-Results: mx; spf=pass (\x1b[2J)", ErrSyntax},
		{"the last C1 control", "Authentication-Results: mx; spf=pass (\u009f)", ErrSyntax},
		{"DEL", "Authentication-Results: mx; spf=pass (\x7f)", ErrSyntax},
		{"none and a result", "Authentication-Results: mx; none; spf=pass", ErrSyntax},
		{"none that is not all", "Authentication-Results: mx; none spf=pass", ErrSyntax},
		{"a backslash at the end of a comment", `Authentication-Results: mx; spf=pass (\`, ErrSyntax},
		{"a word that ends in a hyphen", "Authentication-Results: mx; spf-=pass", ErrSyntax},
		{"a C1 control", "Authentication-Results: mx; spf=pass (\u009b)", ErrSyntax},
		{"broken UTF-8", "Authentication-Results: mx; spf=pass (\xff)", ErrSyntax},
		{"a property without a value", "Authentication-Results: mx; spf=pass smtp.mailfrom=", ErrSyntax},
		{"a property without white space before it", `Authentication-Results: mx; spf=pass"x"`, ErrSyntax},
		{"a reason after the properties", "Authentication-Results: mx; spf=fail smtp.helo=a reason=b", ErrSyntax},
		{"a reason twice", "Authentication-Results: mx; spf=fail reason=a reason=b", ErrSyntax},
		{"comments nested too deep", "Authentication-Results: mx; spf=pass " + strings.Repeat("(", 101) + strings.Repeat(")", 101), ErrLimit},
		{"a field that is too long", "Authentication-Results: mx; spf=pass (" + strings.Repeat("c", 64<<10) + ")", ErrLimit},
		{"a local part with an empty atom", "Authentication-Results: mx; dkim=pass header.i=a..b@a.example", ErrSyntax},
		{"a local part that begins with a dot", "Authentication-Results: mx; dkim=pass header.i=.a@a.example", ErrSyntax},
		{"a local part that ends in a dot", "Authentication-Results: mx; dkim=pass header.i=a.@a.example", ErrSyntax},
		{"an address without a domain", "Authentication-Results: mx; dkim=pass header.i=a@", ErrSyntax},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if f, err := Parse(test.field); !errors.Is(err, test.want) {
				t.Errorf("got %+v, %v; want %v", f, err, test.want)
			}
		})
	}
}

func TestParseTellsTheAuthorOfAVersionItCannotRead(t *testing.T) {
	f, err := Parse("Authentication-Results: mx.example 2; something: new")
	if !errors.Is(err, ErrVersion) || f == nil || f.ID != "mx.example" || f.Version != 2 || len(f.Results) != 0 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestAnErrorSaysWhere(t *testing.T) {
	_, err := Parse("Authentication-Results: mx; spf")
	if want := `the field does not follow the grammar of RFC 8601: "=" is missing at octet 31`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
