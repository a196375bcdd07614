package reuse

import "testing"

func TestAPoolGivesZeroValues(t *testing.T) {
	var p Pool[[2]string]
	for range 100 {
		v := p.Get()
		if *v != [2]string{} {
			t.Fatalf("got %q", *v)
		}
		v[1] = "of another message"
		p.Put(v)
		if *v != [2]string{} {
			t.Fatal("a Pool keeps what it was given in memory")
		}
	}
}
