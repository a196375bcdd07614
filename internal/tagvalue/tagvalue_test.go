package tagvalue

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAll(t *testing.T) {
	type tag struct {
		name, value string
		err         error
	}
	for _, tt := range []struct {
		name, in string
		want     []tag
	}{
		{"nothing", "", nil},
		{"white space only", " \r\n\t", nil},
		{"one tag", "v=1", []tag{{"v", "1", nil}}},
		{"a final semicolon is not a tag", "v=1; ", []tag{{"v", "1", nil}}},
		{"white space around name and value", " v \r\n = \t1 ;p=", []tag{{"v", "1", nil}, {"p", "", nil}}},
		{"equals signs in the value", "b=AA==", []tag{{"b", "AA==", nil}}},
		{"folding inside the value stays", "b=AA\r\n BB", []tag{{"b", "AA\r\n BB", nil}}},
		{"an empty tag in the middle", "v=1;;p=x", []tag{{"v", "1", nil}, {"", "", ErrEmpty}, {"p", "x", nil}}},
		{"no equals sign", "v=1;sp-none", []tag{{"v", "1", nil}, {"sp-none", "", ErrNoEquals}}},
		{"a name that is not one", "v=1; 9=x; a-b=y", []tag{{"v", "1", nil}, {"9", "x", ErrName}, {"a-b", "y", ErrName}}},
		{"NUL is refused, UTF-8 is not", "a=\x00;b=\xc3\xa9", []tag{{"a", "\x00", ErrValue}, {"b", "\xc3\xa9", nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []tag
			for g, err := range All(tt.in) {
				got = append(got, tag{g.Name, g.Value, err})
				if Trim(tt.in[g.Start:g.End]) != g.Value {
					t.Errorf("offsets of %s give %q, want %q", g.Name, tt.in[g.Start:g.End], g.Value)
				}
			}
			if !slices.EqualFunc(got, tt.want, func(a, b tag) bool {
				return a.name == b.name && a.value == b.value && errors.Is(a.err, b.err)
			}) {
				t.Errorf("All(%q) = %v, want %v", tt.in, got, tt.want)
			}
		})
	}
}

func TestAControlCharacterIsFoundWhereverItStands(t *testing.T) {
	for _, around := range []string{"a", "\xff", "\n"} {
		for at := range 20 {
			for c := range 256 {
				value := "x" + strings.Repeat(around, at) + string([]byte{byte(c)}) + strings.Repeat(around, 19-at) + "x"
				want := (c < ' ' || c == 0x7f) && !IsSpace(byte(c))
				for _, err := range All("b=" + strings.ReplaceAll(value, ";", ":")) {
					if errors.Is(err, ErrValue) != want {
						t.Fatalf("%q: %v", value, err)
					}
				}
			}
		}
	}
}

func TestItems(t *testing.T) {
	got := slices.Collect(Items("From : to:\r\n subject:", ':'))
	if want := []string{"From", "to", "subject", ""}; !slices.Equal(got, want) {
		t.Errorf("Items = %q, want %q", got, want)
	}
}

func TestAllAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		for tag, err := range All("v=1; a=rsa-sha256; d=example.com; s=s1") {
			if err != nil || tag.Name == "" {
				t.Fatal(tag, err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzAll(f *testing.F) {
	f.Add("v=1; a = b\r\n c ;;x")
	f.Add("b;\tb\r\n =1;bh=;b=\x00")
	f.Fuzz(func(t *testing.T, s string) {
		last := -1
		for tag := range All(s) {
			if tag.End <= last || tag.Start > tag.End || tag.End > len(s) {
				t.Fatalf("All(%q): tag %+v after one that ends at %d", s, tag, last)
			}
			last = tag.End
		}
		for _, name := range []string{"b", "bh", "A1"} {
			start, end, ok := Find([]byte(s), name)
			var want [2]int
			for tag, err := range All(s) {
				if tag.Name == name && err != ErrNoEquals {
					want = [2]int{tag.Start, tag.End}
					break
				}
			}
			if want != [2]int{start, end} || ok != (end > 0) {
				t.Fatalf("Find(%q, %q) = %d, %d, %t, want %d", s, name, start, end, ok, want)
			}
		}
	})
}

func TestFind(t *testing.T) {
	tests := []struct{ list, want string }{
		{"v=1; b=abc; c=d", "abc"},
		{"b=", ""},
		{"\r\n b \t=\r\n abc\r\n", "\r\n abc\r\n"},
		{"bh=1; fb=2; B=3; b b=4; b=5; b=6", "5"},
		{"z=b=1; b; =b=2; b=3", "3"},
		{"", "none"}, {"b", "none"}, {"b;b", "none"}, {"; ;", "none"},
	}
	for _, test := range tests {
		got := "none"
		if start, end, ok := Find([]byte(test.list), "b"); ok {
			got = test.list[start:end]
		}
		if got != test.want {
			t.Errorf("b= in %q is %q, want %q", test.list, got, test.want)
		}
	}
}
