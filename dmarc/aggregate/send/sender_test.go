package send_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/resolver"
)

// A sent mail.
type sent struct {
	at   time.Time
	from string
	to   []string
	text string
}

// A relay is a Mailer that keeps what it takes.
type relay struct {
	mails []sent
	tried int
	err   func(m sent) error
}

func (r *relay) Mail(ctx context.Context, from string, to []string, message []byte) error {
	m := sent{time.Now(), from, to, string(message)}
	r.tried++
	if r.err != nil {
		if err := r.err(m); err != nil {
			return err
		}
	}
	r.mails = append(r.mails, m)
	return nil
}

// A scene is a Sender and what is around it. Its clock is that of the bubble, which begins with the
// year 2000.
type scene struct {
	send.Sender
	queue *memory
	relay *relay
	zone  resolver.Zone
	log   []string
}

var key = ed25519.NewKeyFromSeed(make([]byte, 32))

// yesterday is the day before the clock begins.
var yesterday = time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)

func newScene(destinations ...string) *scene {
	s := &scene{
		queue: new(memory), relay: new(relay),
		zone: resolver.Zone{
			"s1._domainkey.reports.receiver.example": {TXT: []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))}},
			"_dmarc.reports.receiver.example":        {TXT: []string{"v=DMARC1; p=reject"}},
		},
	}
	s.Sender = send.Sender{
		Queue: s.queue, Mailer: s.relay, Resolver: s.zone, Submitter: "receiver.example", Org: "Receiver", Contact: "https://receiver.example/dmarc",
		From: "dmarc@reports.receiver.example", Bounces: "bounce@reports.receiver.example", Key: key, Selector: "s1",
		Attempted: func(t *send.Task) { s.log = append(s.log, t.String()) },
	}
	s.queue.open = []*aggregate.Report{report("r1", destinations...)}
	return s
}

func report(id string, destinations ...string) *aggregate.Report {
	return &aggregate.Report{
		ID: id, Begin: yesterday, End: yesterday.Add(24*time.Hour - time.Second),
		Policy: aggregate.Policy{Domain: "example.com", P: "none"}, Destinations: destinations,
		Rows: []aggregate.Row{{Source: netip.MustParseAddr("192.0.2.1"), Count: 5, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "example.com"}},
	}
}

// until sends whatever is due in so long a time.
func (s *scene) until(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
}

// inBubble runs a test whose clock is its own.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestAReportIsSentOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene("agg@example.com")
		s.until(t, 48*time.Hour)
		if len(s.relay.mails) != 1 {
			t.Fatalf("%d mails: %q", len(s.relay.mails), s.log)
		}
		m := s.relay.mails[0]
		if m.from != "bounce+tr1a@reports.receiver.example" || !slices.Equal(m.to, []string{"agg@example.com"}) {
			t.Errorf("from %s to %q", m.from, m.to)
		}
		reports, err := new(aggregate.Reader).Read(strings.NewReader(m.text))
		if err != nil || len(reports) != 1 {
			t.Fatalf("%d reports, error %v", len(reports), err)
		}
		r := reports[0]
		if r.Org != "Receiver" || r.Email != "dmarc@reports.receiver.example" || r.ID != "r1" || r.Messages() != 5 || len(r.Problems) > 0 || !r.RFC9990 {
			t.Errorf("report %v, %v", r, r.Problems)
		}
		for _, field := range []string{"Subject: Report Domain: example.com Submitter: receiver.example", "Auto-Submitted: auto-generated",
			"From: <dmarc@reports.receiver.example>", "To: <agg@example.com>", "Message-Id: <r1@receiver.example>"} {
			if !strings.Contains(m.text, "\r\n"+field) {
				t.Errorf("no %s in\n%s", field, m.text)
			}
		}
		if want := []string{"example.com to agg@example.com: sent"}; !slices.Equal(s.log, want) {
			t.Errorf("log %q", s.log)
		}
	})
}

func TestReportsGoOutOverTheHoursAfterTheDay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene()
		today := report("today", "a@example.com")
		today.Begin, today.End = today.Begin.AddDate(0, 0, 1), today.End.AddDate(0, 0, 1)
		s.queue.open = []*aggregate.Report{today}
		for i := range 200 {
			s.queue.open = append(s.queue.open, report(fmt.Sprintf("r%d", i), "a@example.com"))
		}
		s.until(t, 24*time.Hour)
		perHour := make([]int, 24)
		for _, m := range s.relay.mails {
			perHour[m.at.Hour()]++
			if m.at.Before(yesterday.AddDate(0, 0, 1).Add(10 * time.Minute)) {
				t.Errorf("sent at %s", m.at)
			}
		}
		if len(s.relay.mails) != 200 {
			t.Fatalf("%d mails", len(s.relay.mails))
		}
		for hour, n := range perHour {
			if hour < 6 && n < 15 || hour > 6 && n > 0 {
				t.Errorf("%d mails in hour %d", n, hour)
			}
		}
		s.until(t, 24*time.Hour)
		if len(s.relay.mails) != 201 {
			t.Errorf("%d mails after the second day", len(s.relay.mails))
		}
	})
}

func TestDestinationsThatDoNotAgreeGetNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene("a@example.com", "b@other.example", "c@agrees.example", "d@elsewhere.example")
		s.zone["example.com._report._dmarc.agrees.example"] = resolver.Records{TXT: []string{"v=DMARC1"}}
		s.zone["example.com._report._dmarc.elsewhere.example"] = resolver.Records{TXT: []string{"v=DMARC1; rua=mailto:x@elsewhere.example,mailto:y@elsewhere.example"}}
		s.until(t, 30*time.Hour)
		var got []string
		for _, m := range s.relay.mails {
			got = append(got, strings.Join(m.to, " "))
		}
		slices.Sort(got)
		if want := []string{"a@example.com", "c@agrees.example", "x@elsewhere.example y@elsewhere.example"}; !slices.Equal(got, want) {
			t.Errorf("mails to %q, want %q", got, want)
		}
		slices.Sort(s.log)
		if len(s.log) != 4 || !strings.HasPrefix(s.log[1], "example.com to b@other.example: forbidden: the destination has not agreed") {
			t.Errorf("log %q", s.log)
		}
	})
}

func TestAFailureIsTriedAgainForADay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var at []time.Duration
		var start time.Time
		s := newScene("a@example.com")
		s.Spread = -1
		s.relay.err = func(m sent) error {
			if start.IsZero() {
				start = m.at
			}
			at = append(at, m.at.Sub(start).Round(time.Minute))
			return errors.New("451 later\r\nplease")
		}
		s.until(t, 60*time.Hour)
		if len(s.relay.mails) != 0 || len(at) < 6 || at[len(at)-1] > 24*time.Hour || at[len(at)-1] < 18*time.Hour {
			t.Errorf("tried at %v", at)
		}
		for i := 2; i < len(at); i++ {
			if pause, before := at[i]-at[i-1], at[i-1]-at[i-2]; pause < before {
				t.Errorf("the pauses shrink: %v", at)
			}
		}
		if last := s.log[len(s.log)-1]; last != `example.com to a@example.com: failed: 451 later\r\nplease` {
			t.Errorf("log %q", last)
		}
		s.queue.open = []*aggregate.Report{report("r2", "a@example.com")}
		s.relay.err = func(sent) error {
			if s.relay.tried%3 != 0 {
				return errors.New("later")
			}
			return nil
		}
		s.until(t, 24*time.Hour)
		if len(s.relay.mails) != 1 {
			t.Errorf("%d mails", len(s.relay.mails))
		}
	})
}

func TestAnAddressThatBouncesIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene()
		s.Spread = -1
		s.relay.err = func(m sent) error {
			if m.to[0] == "no@example.com" {
				return fmt.Errorf("rcpt: %w", &textproto.Error{Code: 550, Msg: "no such user"})
			}
			return nil
		}
		day := func(id string) string {
			s.log = nil
			s.queue.open = []*aggregate.Report{report(id, "no@example.com", "back@example.com")}
			s.until(t, 24*time.Hour)
			ok, err := s.Bounced(t.Context(), "Bounce+t"+id+"b@Reports.receiver.example")
			if !ok || err != nil {
				t.Errorf("bounced: %v, %v", ok, err)
			}
			var states []string
			for _, line := range s.log {
				fields := strings.SplitN(line, ": ", 3)
				states = append(states, fields[1])
			}
			return strings.Join(states, " ")
		}
		var got []string
		for i := range 5 {
			got = append(got, day(fmt.Sprint(i)))
		}
		want := []string{"bounced sent", "bounced sent", "bounced sent", "given-up given-up", "given-up given-up"}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		time.Sleep(31 * 24 * time.Hour)
		if got := day("9"); got != "bounced sent" {
			t.Errorf("a month later %q", got)
		}
	})
}

func TestWhoseBounceItIs(t *testing.T) {
	s := newScene()
	for address, want := range map[string]bool{
		"bounce+x@reports.receiver.example": true, "BOUNCE+X@Reports.Receiver.Example": true,
		"bounce@reports.receiver.example": false, "bounce+x@receiver.example": false, "other+x@reports.receiver.example": false,
		"bounces+x@reports.receiver.example": false, "": false, "@": false, "bounce+": false,
	} {
		if got, err := s.Bounced(t.Context(), address); got != want || err != nil {
			t.Errorf("%s: %v, %v", address, got, err)
		}
	}
}

func TestAMailThatWouldNotPassDMARCStays(t *testing.T) {
	for name, change := range map[string]func(s *scene){
		"no key in DNS": func(s *scene) { delete(s.zone, "s1._domainkey.reports.receiver.example") },
		"another key":   func(s *scene) { s.Key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)) },
		"no record":     func(s *scene) { delete(s.zone, "_dmarc.reports.receiver.example") },
		"DNS that fails": func(s *scene) {
			s.zone["_dmarc.reports.receiver.example"] = resolver.Records{Fault: resolver.Fault{Err: resolver.ErrServFail}}
		},
		"no key to sign":  func(s *scene) { s.Key = nil },
		"no From address": func(s *scene) { s.From = "dmarc" },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s := newScene("a@example.com")
				s.Spread = -1
				change(s)
				s.until(t, time.Hour)
				if s.relay.tried != 0 || len(s.log) == 0 || !strings.Contains(s.log[0], "waiting: ") {
					t.Errorf("%d mails, log %q", s.relay.tried, s.log)
				}
			})
		})
	}
}

func TestReportsAboutReportsAreWarnedOf(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene("a@example.com")
		s.zone["_dmarc.reports.receiver.example"] = resolver.Records{TXT: []string{"v=DMARC1; p=reject; rua=mailto:x@reports.receiver.example"}}
		s.until(t, 24*time.Hour)
		if len(s.log) != 1 || !strings.Contains(s.log[0], "sent: the policy record of reports.receiver.example asks for reports about this report") {
			t.Errorf("log %q", s.log)
		}
	})
}

func TestAReportFitsIntoWhatTheDestinationTakes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene()
		s.Spread = -1
		r := report("big", "a@example.com")
		for i := range 5000 {
			row := r.Rows[0]
			row.Source = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			row.HeaderFrom = fmt.Sprintf("h%d.example.com", i*7919%5000)
			r.Rows = append(r.Rows, row)
		}
		s.queue.open = []*aggregate.Report{r}
		s.relay.err = func(m sent) error {
			if len(m.text) > 40_000 {
				return &send.SizeError{Max: 40_000}
			}
			return nil
		}
		s.until(t, time.Hour)
		if len(s.relay.mails) != 1 || s.relay.tried != 2 {
			t.Fatalf("%d mails in %d tries: %q", len(s.relay.mails), s.relay.tried, s.log)
		}
		reports, err := new(aggregate.Reader).Read(strings.NewReader(s.relay.mails[0].text))
		if err != nil || len(reports[0].Rows) < 100 || len(reports[0].Errors) != 1 || !strings.Contains(reports[0].Errors[0], "are left out") {
			t.Errorf("%v, error %v", reports, err)
		}
		s.queue.open = []*aggregate.Report{report("small", "b@example.com")}
		s.relay.err = func(sent) error { return &send.SizeError{} }
		s.until(t, time.Hour)
		if last := s.log[len(s.log)-1]; !strings.Contains(last, "bounced: the destination takes mails of at most") {
			t.Errorf("log %q", s.log)
		}
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene("a@example.com", "b@other.example")
		if err := s.queue.Close(t.Context(), time.Now(), func(*send.Task) time.Time { return time.Now().Add(time.Hour) }); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := s.Preview(t.Context(), func(task *send.Task, mail []byte) {
			got = append(got, fmt.Sprintf("%s %s %v", task.Address, task.State, len(mail) > 0))
		})
		if want := []string{"a@example.com sent true", "b@other.example forbidden false"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, error %v, want %q", got, err, want)
		}
		if s.relay.tried != 0 || s.queue.tasks[0].State != send.StateWaiting || s.queue.tasks[0].Attempts != 0 {
			t.Errorf("%d mails, %v", s.relay.tried, s.queue.tasks[0])
		}
	})
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene()
		start := time.Now()
		s.until(t, 50*time.Hour)
		if len(s.queue.pruned) != 3 || !s.queue.pruned[0].Equal(start.AddDate(0, 0, -14)) {
			t.Errorf("pruned %v", s.queue.pruned)
		}
	})
}

func TestTheErrorOfTheQueueEndsRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene("a@example.com")
		s.queue.err = errors.New("database is gone")
		if err := s.Run(t.Context()); err != s.queue.err {
			t.Errorf("error %v", err)
		}
	})
}

func TestAMailThatWasTakenIsNotSentAgainAfterTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newScene("a@example.com")
		s.Spread = -1
		ctx, cancel := context.WithCancel(t.Context())
		s.relay.err = func(sent) error { cancel(); return nil }
		time.Sleep(time.Hour)
		if n, err := s.Send(ctx); n != 1 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d mails, error %v", n, err)
		}
		if state := s.queue.tasks[0].State; state != send.StateSent {
			t.Errorf("state %s", state)
		}
	})
}
