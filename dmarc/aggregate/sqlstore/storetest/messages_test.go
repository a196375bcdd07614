package storetest

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/dmarc/discovery"
	"github.com/mailverdict/mailverdict/dmarc/record"
	"github.com/mailverdict/mailverdict/spf"
)

var (
	firstDay = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	noon     = firstDay.Add(12 * time.Hour)
)

// result is that of a message from the i-th source, under the policy of a domain.
func result(domain string, i int, at time.Time) *dmarc.Result {
	rec, _, _ := record.Parse("v=DMARC1; p=none; rua=mailto:agg@"+domain, record.RFC9989)
	return &dmarc.Result{
		Envelope: dmarc.Envelope{IP: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), MailFrom: "x@bounce." + domain},
		Time:     at,
		SPF:      &spf.Result{Identity: spf.IdentityMailFrom, Status: spf.StatusPass, Domain: "bounce." + domain},
		DKIM:     []*dkim.Result{{Status: dkim.StatusPass, Domain: domain, Selector: "s1"}},
		DMARC: dmarc.Verdict{
			Status: dmarc.StatusPass, SPFAligned: true, DKIMAligned: true,
			AuthorDomain: domain, OrganizationalDomain: domain, PolicyDomain: domain, Policy: rec.Policy,
			Discovery: &discovery.Result{
				AuthorDomain: domain, PolicyDomain: domain, Source: discovery.SourceAuthor,
				Queries: []*discovery.Query{{Domain: domain, Record: rec}},
			},
		},
	}
}

func flush(t testing.TB, a *aggregate.Accumulator) {
	t.Helper()
	if err := a.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// soon makes deliveries due at once.
func soon(*send.Task) time.Time { return noon }

// A stored report is one with its rows.
type stored struct {
	*send.Task
	rows []aggregate.Row
}

func (s *stored) messages() (n int64) {
	for _, row := range s.rows {
		n += row.Count
	}
	return n
}

// pending returns what waits to be sent of the periods that ended before a time.
func pending(t testing.TB, s *sqlstore.Store, ended time.Time) (list []stored) {
	t.Helper()
	var tasks []*send.Task
	for task, err := range s.Pending(context.Background(), ended) {
		if err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, task)
	}
	for _, task := range tasks {
		list = append(list, stored{task, collect(t, s.Rows(context.Background(), task))})
	}
	return list
}

func collect(t testing.TB, rows iter.Seq2[aggregate.Row, error]) (list []aggregate.Row) {
	t.Helper()
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, row)
	}
	return list
}

// sum returns how many messages a store has of all periods, and in how many rows.
func sum(t testing.TB, s *sqlstore.Store) (messages int64, rows int) {
	t.Helper()
	for _, r := range pending(t, s, firstDay.AddDate(1, 0, 0)) {
		messages += r.messages() + r.Report.Omitted
		rows += len(r.rows)
	}
	return messages, rows
}

func wantSum(t testing.TB, s *sqlstore.Store, messages int64, rows int) {
	t.Helper()
	if gotMessages, gotRows := sum(t, s); gotMessages != messages || gotRows != rows {
		t.Errorf("%d messages in %d rows, want %d in %d", gotMessages, gotRows, messages, rows)
	}
}

func domainOf(i int) string { return fmt.Sprintf("d%d.example", i) }
