package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/d--j/go-milter"
)

func TestAStoreThatCannotBeReachedKeepsNoMailBack(t *testing.T) {
	var log bytes.Buffer
	d := loggingDaemon(t, `store = "postgres://u:secret@127.0.0.1:1/reports"`, &log)
	if _, a := connect(t, d, "192.0.2.7").send("a@bank.test", fromBank, "u@example.com"); a.Type != milter.ActionAccept {
		t.Errorf("%v", a)
	}
	d.drain()
	for _, want := range []string{"the store cannot be opened", `"counted":true`, "counts that were not stored are lost"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Error("the password is in the log")
	}
}
