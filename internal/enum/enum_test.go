package enum

import "testing"

type fruit uint8

var words = []string{"apple", "pear"}

func TestEveryValueHasItsWordAndBack(t *testing.T) {
	for v, want := range words {
		text, err := MarshalText(words, fruit(v))
		if err != nil || string(text) != want || String(words, fruit(v)) != want {
			t.Errorf("%d: %q, %q (%v), want %q", v, text, String(words, fruit(v)), err, want)
		}
		var back fruit
		if err := UnmarshalText(words, &back, text); err != nil || back != fruit(v) {
			t.Errorf("%q is read as %d (%v), want %d", text, back, err, v)
		}
	}
}

func TestWordsAreReadInAnyCase(t *testing.T) {
	var v fruit
	if err := UnmarshalText(words, &v, []byte("PEAR")); err != nil || v != 1 {
		t.Errorf("PEAR is read as %d (%v), want 1", v, err)
	}
}

func TestAValueWithoutAWordIsAnError(t *testing.T) {
	if _, err := MarshalText(words, fruit(2)); err == nil {
		t.Error("a value without a word was written")
	}
	if got := String(words, fruit(2)); got != "invalid(2)" {
		t.Errorf("String is %q, want invalid(2)", got)
	}
	v := fruit(1)
	if err := UnmarshalText(words, &v, []byte("plum")); err == nil || v != 1 {
		t.Errorf("plum was read as %d (%v)", v, err)
	}
}
