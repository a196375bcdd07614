package resolver

import (
	"context"
	"os"
	"testing"
)

func TestNoResolverIsTheDefaultOne(t *testing.T) {
	before := systemDefault
	systemDefault = func() Resolver { return Zone{"example.com": {TXT: []string{"text"}}} }
	t.Cleanup(func() { systemDefault = before })
	for what, r := range map[string]Resolver{
		"a budget":   &Budget{},
		"a cache":    &Cache{},
		"a wrapping": Wrap(nil, func(context.Context, Question, Answer, error) {}),
	} {
		if a, err := r.Resolve(ctx, txt); err != nil || a.Count() != 1 {
			t.Errorf("%s of nothing: %v, %v", what, a, err)
		}
	}
}

func TestTheDefaultIsOneClientWhereTheSystemHasAResolvConf(t *testing.T) {
	if _, err := os.Stat("/etc/resolv.conf"); err != nil {
		t.Skip("this system has no resolv.conf")
	}
	if c, ok := Default().(*Client); !ok || Default() != Resolver(c) {
		t.Errorf("%T, want the same *Client each time", Default())
	}
}
