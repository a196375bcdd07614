package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mailverdict/mailverdict/examples/archive/internal/fakes3"
	"github.com/mailverdict/mailverdict/resolver"
)

const (
	received = "Received: from mx.shop.example (mx.shop.example [192.0.2.1])\r\n by inbound-smtp.eu-central-1.amazonaws.com with SMTP id 4vk2dt7o1gqk\r\n for bob@receiver.example;\r\n Sat, 28 Nov 2026 10:00:02 +0000 (UTC)\r\n"
	forged   = "Received: from evil.example (evil.example [203.0.113.66])\r\n by inbound-smtp.eu-central-1.amazonaws.com with SMTP id 9c1r0m2q3w4e\r\n for bob@receiver.example;\r\n Sat, 28 Nov 2026 10:05:00 +0000 (UTC)\r\n"
	message  = "From: Shop <orders@shop.example>\r\nTo: bob@receiver.example\r\nSubject: Your order\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n\r\nThank you.\r\n"
)

func zone() resolver.Zone {
	return resolver.Zone{
		"mail.shop.example":   {TXT: []string{"v=spf1 ip4:192.0.2.1 -all"}},
		"shop.example":        {TXT: []string{"v=spf1 -all"}},
		"evil.example":        {TXT: []string{"v=spf1 ip4:203.0.113.66 -all"}},
		"_dmarc.shop.example": {TXT: []string{"v=DMARC1; p=reject"}},
	}
}

// event reads an event, with the message that it is about in the bucket.
func event(t *testing.T, client *s3.Client, file, text string) json.RawMessage {
	t.Helper()
	event, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var parsed events.SimpleEmailEvent
	if err := json.Unmarshal(event, &parsed); err != nil {
		t.Fatal(err)
	}
	fakes3.Put(t, client, "mail", "in/"+parsed.Records[0].SES.Mail.MessageID, text, nil)
	return event
}

func TestAnEventHasAVerdictAndTheRuleGoesOnOrStops(t *testing.T) {
	client := fakes3.Start(t, "mail")
	failing := zone()
	failing["_dmarc.shop.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
	for _, tt := range []struct {
		name, event, text, stop string
		zone                    resolver.Zone
		verdict                 string
		disposition             events.SimpleEmailDispositionValue
	}{
		{"a message of the shop", "event.json", received + message, "reject", zone(), "pass", events.SimpleEmailContinue},
		{"a forged message", "forged.json", forged + message, "reject", zone(), "fail", events.SimpleEmailStopRule},
		{"a forged message, and nothing is to stop", "forged.json", forged + message, "", zone(), "fail", events.SimpleEmailContinue},
		{"a forged message, and DNS fails", "forged.json", forged + message, "quarantine", failing, "temperror", events.SimpleEmailContinue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			h := &handler{client: client, resolver: tt.zone, log: &log, prefix: "s3://mail/in/", stop: tt.stop}
			a, err := h.handle(t.Context(), event(t, client, tt.event, tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var line struct {
				DMARC   struct{ Verdict string }
				Archive struct {
					Stored struct{ DMARC string }
				}
			}
			if err := json.Unmarshal(a.Verdict, &line); err != nil || log.String() != string(a.Verdict)+"\n" {
				t.Errorf("%v, logged %s", err, log.String())
			}
			if line.DMARC.Verdict != tt.verdict || a.Disposition != tt.disposition || line.Archive.Stored.DMARC == "" {
				t.Errorf("%+v, %s", line, a.Disposition)
			}
		})
	}
}

func TestWhatIsNoEventIsAnError(t *testing.T) {
	h := &handler{client: fakes3.Start(t, "mail"), resolver: zone(), log: io.Discard, prefix: "s3://mail/in/"}
	for _, event := range []string{`{}`, `[]`, `{"Records": []}`, `{"Records": [{"ses": {"mail": {}}}]}`} {
		if a, err := h.handle(t.Context(), json.RawMessage(event)); err == nil {
			t.Errorf("%s: %+v", event, a)
		}
	}
}

func TestAMessageThatIsNotInTheBucketStopsNothing(t *testing.T) {
	event, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	h := &handler{client: fakes3.Start(t, "mail"), resolver: zone(), log: io.Discard, prefix: "s3://mail/in/", stop: "quarantine"}
	a, err := h.handle(t.Context(), event)
	if err != nil || a.Disposition != events.SimpleEmailContinue || !strings.Contains(string(a.Verdict), `"kind":"unreadable"`) {
		t.Errorf("%+v, %s, %v", a, a.Verdict, err)
	}
}
