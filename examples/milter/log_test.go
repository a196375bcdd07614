package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/d--j/go-milter"
)

func TestEachMessageHasOneLineInTheLog(t *testing.T) {
	for _, tt := range []struct {
		name, config, ip string
		fields           []string
		want             map[string]any // of the line
	}{
		{"pass", "", "192.0.2.7", nil, map[string]any{"action": "accept", "kind": "other"}},
		{"marked", "", "198.51.100.9", nil, map[string]any{"action": "mark"}},
		{"rejected", `reject = "always"`, "198.51.100.9", nil, map[string]any{"action": "reject"}},
		{"not checked", "", "127.0.0.1", nil, map[string]any{"action": "skip", "kind": "local"}},
		{"compared", `shadow = "other.test"` + "\nreject = \"always\"", "198.51.100.9", []string{"Authentication-Results: other.test; dmarc=pass header.from=bank.test"},
			map[string]any{"action": "shadow", "would": "reject", "compared": 1.0, "differences": "dmarc theirs=pass ours=fail"}},
		{"compared with nothing", `shadow = "other.test"`, "192.0.2.7", nil, map[string]any{"action": "shadow", "would": "accept", "compared": 0.0}},
		{"too many forged fields", "", "192.0.2.7", slices.Repeat([]string{"X-DMARC-Disposition: none"}, maxRemovals+1),
			map[string]any{"action": "reject", "failure": "too many forged fields"}},
		{"counted", `store = "sqlite:%dir%/db"`, "192.0.2.7", nil, map[string]any{"action": "accept", "counted": true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			d := loggingDaemon(t, strings.ReplaceAll(tt.config, "%dir%", t.TempDir()), &log)
			m := connect(t, d, tt.ip)
			m.macros.Set(milter.MacroQueueId, "Q1")
			m.send("a@bank.test", slices.Concat(tt.fields, fromBank), "u@example.com")
			d.drain()
			var lines []map[string]any
			for text := range strings.Lines(log.String()) {
				var line map[string]any
				if err := json.Unmarshal([]byte(text), &line); err != nil {
					t.Fatal(err)
				}
				if line["msg"] == "message" {
					lines = append(lines, line)
				}
			}
			if len(lines) != 1 {
				t.Fatalf("%d lines:\n%s", len(lines), log.String())
			}
			for key, want := range tt.want {
				if got := lines[0][key]; got != want {
					t.Errorf("%s is %v, want %v", key, got, want)
				}
			}
			result, _ := lines[0]["result"].(map[string]any)
			if result["client"] != tt.ip || result["mail_from"] != "a@bank.test" {
				t.Errorf("result %v", result)
			}
			if lines[0]["action"] != "skip" && lines[0]["queue_id"] != "Q1" {
				t.Errorf("queue id %v", lines[0]["queue_id"])
			}
		})
	}
}
