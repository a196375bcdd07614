package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestHostileTextDoesNotReachTheTerminal(t *testing.T) {
	const hostile = "a\u202eb\u009b31m\x7f\u2028\U000e0041 \u00e9\U0001f4e7"
	if got := printable(hostile); got != `a\u202eb\u009b31m\u007f\u2028\U000e0041 é📧` {
		t.Errorf("%q", got)
	}
	text, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	safe := visibleJSON(string(text))
	var back string
	if err := json.Unmarshal([]byte(safe), &back); err != nil || back != hostile {
		t.Errorf("%s: %q %v", safe, back, err)
	}
	if printable(safe) != safe || !strings.Contains(safe, "é📧") {
		t.Errorf("%q", safe)
	}
}
