package domain

import (
	"errors"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		err            error
	}{
		{name: "lower case stays", in: "example.com", want: "example.com"},
		{name: "upper case is folded", in: "EXAMPLE.Com", want: "example.com"},
		{name: "one trailing dot is dropped", in: "example.com.", want: "example.com"},
		{name: "two trailing dots are an empty label", in: "example.com..", err: ErrEmptyLabel},
		{name: "U-labels become A-labels", in: "Bücher.example", want: "xn--bcher-kva.example"},
		{name: "sharp s is kept, not mapped to ss", in: "straße.example", want: "xn--strae-oqa.example"},
		{name: "ideographic full stop separates labels", in: "例え。テスト", want: "xn--r8jz45g.xn--zckzah"},
		{name: "underscores are DNS names", in: "_dmarc.example.com", want: "_dmarc.example.com"},
		{name: "nothing", in: "", err: ErrEmpty},
		{name: "the root", in: ".", err: ErrEmpty},
		{name: "leading dot", in: ".example.com", err: ErrEmptyLabel},
		{name: "empty label", in: "a..example", err: ErrEmptyLabel},
		{name: "NUL", in: "a\x00.example", err: ErrOctet},
		{name: "parenthesis", in: "victim.example(.attacker.example", err: ErrOctet},
		{name: "space", in: "a b.example", err: ErrOctet},
		{name: "label of 63 octets", in: strings.Repeat("a", 63) + ".example", want: strings.Repeat("a", 63) + ".example"},
		{name: "label of 64 octets", in: strings.Repeat("a", 64) + ".example", err: ErrLabelLong},
		{name: "254 octets", in: strings.Repeat("a.", 126) + "aa", err: ErrLong},
		{name: "U-label of 64 characters", in: strings.Repeat("é", 64) + ".example", err: ErrLabelLong},
		{name: "U-label whose A-label has 64 octets", in: strings.Repeat("é", 58) + ".example", err: ErrLabelLong},
		{name: "254 characters", in: strings.Repeat("é.", 127), err: ErrLong},
		{name: "labels that ideographic full stops separate", in: strings.Repeat("é。", 30) + "é", want: strings.Repeat("xn--9ca.", 30) + "xn--9ca"},
		{name: "invisible characters", in: "victim.example\u2000\u200b", err: ErrOctet},
		{name: "not UTF-8", in: "b\xfccher.example", err: ErrIDNA},
		{name: "KELVIN SIGN maps by UTS 46, not by accident", in: "\u212aelvin.example", want: "kelvin.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canonical(tt.in)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Canonical(%q) = %q, %v; want %q, %v", tt.in, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestEveryOctetIsFoldedKeptOrRefused(t *testing.T) {
	const kept = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	const folded = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 0x80 {
		octet := string(rune(c))
		name := "x" + octet + "x.example"
		lower := "x" + strings.ToLower(octet) + "x.example"
		isKept, isFolded := strings.Contains(kept, octet), strings.Contains(folded, octet)
		if octet == "." {
			isKept = true // as a separator
		}
		if got := IsCanonical(name); got != isKept {
			t.Errorf("%q is canonical: %t", name, got)
		}
		if err := Check(name); (err == nil) != (isKept || isFolded) || err != nil && err != ErrOctet {
			t.Errorf("%q: %v", name, err)
		}
		if got, err := Canonical(name); (isKept || isFolded) != (err == nil) || err == nil && got != lower {
			t.Errorf("%q becomes %q, %v", name, got, err)
		}
		if got := ToLower(name); got != lower {
			t.Errorf("%q in lower case is %q", name, got)
		}
	}
	for c := 0x80; c < 0x100; c++ {
		name := "x" + string([]byte{byte(c)}) + "x.example"
		if _, err := Canonical(name); IsCanonical(name) || Check(name) != ErrOctet || err != ErrIDNA || ToLower(name) != name {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNamesAndLabelsHaveTheirGreatestLength(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Join([]string{label, label, label, label[:61]}, ".")
	for _, tt := range []struct {
		name string
		want error
	}{
		{longest, nil},
		{longest + "a", ErrLong},
		{label, nil},
		{"x." + label + ".x", nil},
		{label + "a", ErrLabelLong},
		{"x." + label + "a.x", ErrLabelLong},
		{"x." + label + "a", ErrLabelLong},
	} {
		if IsCanonical(tt.name) != (tt.want == nil) || Check(tt.name) != tt.want {
			t.Errorf("%d octets, %q: canonical %t, %v", len(tt.name), tt.name, IsCanonical(tt.name), Check(tt.name))
		}
	}
	// A name that is not ASCII may have as many characters as its A-labels have octets.
	for _, tt := range []struct {
		name string
		want error
	}{
		{strings.Repeat("a", 63) + ".é", nil},
		{strings.Join([]string{label, label, label, label[:53]}, ".") + ".é", nil},
		{strings.Join([]string{label, label, label, label[:54]}, ".") + ".é", ErrLong},
	} {
		if got, err := Canonical(tt.name); err != tt.want {
			t.Errorf("%q: %q, %v; want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		child, parent string
		want          bool
	}{
		{"example.com", "example.com", true},
		{"a.example.com", "example.com", true},
		{"notexample.com", "example.com", false},
		{"com", "example.com", false},
		{"example.com", "", false},
		{"", "", true},
	} {
		if got := Within(tt.child, tt.parent); got != tt.want {
			t.Errorf("Within(%q, %q) = %v, want %v", tt.child, tt.parent, got, tt.want)
		}
	}
}

func TestLabels(t *testing.T) {
	if got := Last("a.b.c.d", 2); got != "c.d" {
		t.Errorf("Last = %q, want c.d", got)
	}
	if got := Last("a.b", 7); got != "a.b" {
		t.Errorf("Last = %q, want a.b", got)
	}
	if got := Parent("a.b.c"); got != "b.c" {
		t.Errorf("Parent = %q, want b.c", got)
	}
	if got := Parent("c"); got != "" {
		t.Errorf("Parent of one label = %q, want none", got)
	}
	if got := Labels("a.b.c"); got != 3 {
		t.Errorf("Labels = %d, want 3", got)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"example.com", "Bücher.example.", "a..b", "\xff", "xn--a.example", "xn--"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := Canonical(s)
		if want := Check(s) == nil && ToLower(s) == s; IsCanonical(s) != want {
			t.Errorf("IsCanonical(%q) = %v, want %v", s, !want, want)
		}
		if err != nil {
			return
		}
		if err := Check(name); err != nil || !IsCanonical(name) {
			t.Errorf("Canonical(%q) = %q, which Check (%v) or IsCanonical refuses", s, name, err)
		}
		if again, err := Canonical(name); again != name || err != nil {
			t.Errorf("Canonical is not idempotent on %q: %q, %v", name, again, err)
		}
	})
}
