package compare

import (
	"maps"
	"slices"
	"testing"
)

// A difference is a reason for the two sides to disagree about a case with a
// peculiarity.
type difference struct {
	peculiarity string
	ours, peer  string // statuses; anyStatus stands for all of them
	why         string
}

const anyStatus = "any status"

// explains reports whether the difference explains what the two sides say.
func (d *difference) explains(peculiarities []string, ours, peer string) bool {
	return slices.Contains(peculiarities, d.peculiarity) && (d.ours == ours || d.ours == anyStatus) && (d.peer == peer || d.peer == anyStatus)
}

// An agreement counts how often the two sides agree, and why they do not.
type agreement struct {
	differences []difference

	agreed  int
	several int         // of two faults, each side names another
	found   map[int]int // by difference
	open    int         // without a reason
}

// on takes the statuses that the two sides gave a case. It reports whether they
// agree, or differ for a reason that is listed.
func (a *agreement) on(peculiarities []string, ours, peer string) bool {
	if ours == peer {
		a.agreed++
		return true
	}
	for i := range a.differences {
		if a.differences[i].explains(peculiarities, ours, peer) {
			if a.found == nil {
				a.found = map[int]int{}
			}
			a.found[i]++
			return true
		}
	}
	// Of two faults each side names the one that it comes upon first.
	if len(peculiarities) > 1 && ours != "pass" && peer != "pass" {
		a.several++
		return true
	}
	a.open++
	return false
}

// report logs the counts. A difference that no case shows fails the test, so that
// the list does not grow old.
func (a *agreement) report(t *testing.T) {
	t.Helper()
	t.Logf("%d agreed, %d without a reason to differ; in %d both refuse two faults, and name another", a.agreed, a.open, a.several)
	for _, i := range slices.Sorted(maps.Keys(a.found)) {
		d := a.differences[i]
		t.Logf("%d cases of %s: ours %s, theirs %s, because %s", a.found[i], d.peculiarity, d.ours, d.peer, d.why)
	}
	for i, d := range a.differences {
		if a.found[i] == 0 {
			t.Errorf("listed, but not found: %s: ours %s, theirs %s", d.peculiarity, d.ours, d.peer)
		}
	}
}
