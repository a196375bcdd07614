package cmdline

import (
	"flag"
	"io"
	"slices"
	"testing"
)

func TestFlagsStandAnywhere(t *testing.T) {
	for _, tt := range []struct {
		args, rest []string
		n          int
	}{
		{nil, nil, 0},
		{[]string{"-n", "3", "a", "b"}, []string{"a", "b"}, 3},
		{[]string{"a", "-n", "3", "b"}, []string{"a", "b"}, 3},
		{[]string{"a", "b", "-n=3"}, []string{"a", "b"}, 3},
		{[]string{"a", "--", "-n", "3"}, []string{"a", "-n", "3"}, 0},
		{[]string{"-", "-n", "3"}, []string{"-"}, 3},
	} {
		set := flag.NewFlagSet("test", flag.ContinueOnError)
		n := set.Int("n", 0, "")
		rest, err := Parse(set, tt.args)
		if err != nil || !slices.Equal(rest, tt.rest) || *n != tt.n {
			t.Errorf("%q: %q, %d, %v; want %q, %d", tt.args, rest, *n, err, tt.rest, tt.n)
		}
	}
	set := flag.NewFlagSet("test", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	if _, err := Parse(set, []string{"a", "-x"}); err == nil {
		t.Error("an unknown flag is taken")
	}
}
