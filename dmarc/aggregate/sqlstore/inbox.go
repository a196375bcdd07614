package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/rollout"
)

// An Inbox keeps the reports that others sent, summed up by day and source. It may share its database
// with a Store. It is safe for concurrent use, and many programs may have one on the same database.
type Inbox struct {
	store *Store
}

// OpenInbox returns an Inbox on a database, and makes its tables or brings them up to date, as Open
// does. The caller closes db.
func OpenInbox(ctx context.Context, db *sql.DB, d Dialect) (*Inbox, error) {
	s, err := Open(ctx, db, d)
	if err != nil {
		return nil, err
	}
	return &Inbox{store: s}, nil
}

// Incoming is a report that came in.
type Incoming struct {
	Report *aggregate.Report

	// Reporter is the domain for which its mail passed DMARC, and empty where none did: anybody
	// can have written such a report. It is counted apart.
	Reporter string

	Received time.Time
}

// Receive adds reports, all of them or, where it returns an error, none, and says which of them it
// added. A report with the Key of one that is there is not added again, but that one that is proven
// takes the place of one that is not.
func (b *Inbox) Receive(ctx context.Context, in ...Incoming) (added []bool, err error) {
	err = b.store.transaction(ctx, func(tx *sql.Tx) error {
		t := newIntake(ctx, tx, b.store)
		var zones []int64
		for i := range in {
			zones = append(zones, b.store.number("zone", in[i].Report.Policy.Domain))
		}
		if err := t.lock(zones...); err != nil {
			return err
		}
		added = make([]bool, len(in))
		for i := range in {
			if added[i], err = t.report(&in[i]); err != nil {
				return err
			}
		}
		return t.forgetSpans()
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

// flowsOf returns the flows of a report, each once, without days.
func flowsOf(r *aggregate.Report) []rollout.Flow {
	at := make(map[rollout.Flow]int, len(r.Rows))
	flows := make([]rollout.Flow, 0, len(r.Rows))
	for i := range r.Rows {
		f := rollout.Of(&r.Rows[i])
		n := f.Messages
		f.Messages = 0
		if _, known := at[f]; !known {
			at[f] = len(flows)
			flows = append(flows, f)
		}
		sum := &flows[at[f]].Messages
		*sum = min(*sum+min(n, maxCount), maxCount)
	}
	return flows
}

// maxCount is the most messages that one flow of a report may have: far more than there are, and so few
// that sums of them do not go beyond the range of a database's integers.
const maxCount = 1 << 40

// An intake adds reports within a transaction.
type intake struct {
	ctx        context.Context
	tx         *sql.Tx
	store      *Store
	statements map[string]*sql.Stmt // they are closed with the transaction
	changed    map[zoneDay]bool     // whose spans are no longer true
}

type zoneDay struct{ zone, day int64 }

func newIntake(ctx context.Context, tx *sql.Tx, s *Store) *intake {
	return &intake{ctx: ctx, tx: tx, store: s, statements: make(map[string]*sql.Stmt), changed: make(map[zoneDay]bool)}
}

// exec runs a statement and returns how many rows it changed.
func (t *intake) exec(statement string, args ...any) (int64, error) {
	prepared := t.statements[statement]
	if prepared == nil {
		var err error
		if prepared, err = t.tx.PrepareContext(t.ctx, t.store.sql(statement)); err != nil {
			return 0, err
		}
		t.statements[statement] = prepared
	}
	result, err := prepared.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// lock makes programs that change the same zones wait for each other. In SQLite, which has one lock for
// all, any write takes it.
func (t *intake) lock(zones ...int64) error {
	if t.store.dialect == SQLite {
		_, err := t.exec(`UPDATE dmarc_meta SET value = value WHERE name = 'version'`)
		return err
	}
	slices.Sort(zones)
	for _, zone := range slices.Compact(zones) {
		if _, err := t.tx.ExecContext(t.ctx, `SELECT pg_advisory_xact_lock($1)`, zone); err != nil {
			return err
		}
	}
	return nil
}

// report adds a report, unless it is there.
func (t *intake) report(in *Incoming) (added bool, err error) {
	r, flows, text := in.Report, flowsOf(in.Report), []byte(nil)
	proven := boolean(in.Reporter != "")
	if proven == 0 {
		if text, err = json.Marshal(flows); err != nil {
			return false, err
		}
	}
	id := hash(r.Key())
	n, err := t.exec(`
		INSERT INTO dmarc_incoming (id, domain, org, reporter, proven, report, begin_at, messages, received_at, flows)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		id, short(r.Policy.Domain), short(r.Org), in.Reporter, proven, short(r.ID), r.Begin.Unix(), messagesOf(flows), in.Received.Unix(), clean(string(text)))
	switch {
	case err != nil || n == 0 && proven == 0:
		return false, err
	case n == 0:
		if replaced, err := t.replace(in, id, messagesOf(flows)); err != nil || !replaced {
			return false, err
		}
	}
	if proven == 1 && isTimely(in) {
		if err := t.published(r); err != nil {
			return false, err
		}
	}
	return true, t.count(in, in.Reporter, flows, 1)
}

// replace takes away what was counted of a report that was not proven, so that the same one, proven, is
// counted in its place. It returns false where the one that is there is proven.
func (t *intake) replace(in *Incoming, id string, messages int64) (bool, error) {
	var text string
	err := t.tx.QueryRowContext(t.ctx, t.store.sql(`SELECT flows FROM dmarc_incoming WHERE id = ? AND proven = 0`), id).Scan(&text)
	if err == sql.ErrNoRows {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := t.exec(`UPDATE dmarc_incoming SET reporter = ?, proven = 1, messages = ?, received_at = ?, flows = '' WHERE id = ?`,
		in.Reporter, messages, in.Received.Unix(), id); err != nil {
		return false, err
	}
	var old []rollout.Flow
	if err := json.Unmarshal([]byte(text), &old); err != nil {
		return false, err
	}
	return true, t.count(in, "", old, -1)
}

// isTimely reports whether a report is about a time before it came, but for clocks that differ. Others say nothing of
// what is published: one that is dated into the far future would be the last one for ever.
func isTimely(in *Incoming) bool {
	return !in.Report.Begin.IsZero() && in.Report.Begin.Before(in.Received.Add(24*time.Hour))
}

// published notes what a proven report says of the policy.
func (t *intake) published(r *aggregate.Report) error {
	policy, err := json.Marshal(r.Policy)
	if err != nil {
		return err
	}
	_, err = t.exec(`
		INSERT INTO dmarc_published (zone, p, first_at, last_at, policy) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (zone, p) DO UPDATE SET
			first_at = CASE WHEN excluded.first_at < dmarc_published.first_at THEN excluded.first_at ELSE dmarc_published.first_at END,
			policy = CASE WHEN excluded.last_at >= dmarc_published.last_at THEN excluded.policy ELSE dmarc_published.policy END,
			last_at = CASE WHEN excluded.last_at >= dmarc_published.last_at THEN excluded.last_at ELSE dmarc_published.last_at END`,
		t.store.number("zone", r.Policy.Domain), short(r.Policy.P), r.Begin.Unix(), r.Begin.Unix(), clean(string(policy)))
	return err
}

// count adds flows to the sums, or takes them away where sign is -1.
func (t *intake) count(in *Incoming, reporter string, flows []rollout.Flow, sign int64) error {
	r, proven := in.Report, boolean(reporter != "")
	zone, day := t.store.number("zone", r.Policy.Domain), dayOf(r.Begin)
	if proven == 1 {
		t.changed[zoneDay{zone, day}] = true
	}
	totals := make(map[total]int64)
	for i := range flows {
		f := &flows[i]
		id, err := t.flow(in, f)
		if err != nil {
			return err
		}
		if _, err := t.exec(`
			INSERT INTO dmarc_day (zone, proven, day, flow, n) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (zone, proven, day, flow) DO UPDATE SET n = dmarc_day.n + excluded.n`, zone, proven, day, id, sign*f.Messages); err != nil {
			return err
		}
		totals[total{boolean(f.Passed()), outcome(f.Disposition)}] += sign * f.Messages
	}
	for is, n := range totals {
		if _, err := t.exec(`
			INSERT INTO dmarc_total (zone, domain, proven, day, passed, disposition, n) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (zone, proven, day, passed, disposition) DO UPDATE SET n = dmarc_total.n + excluded.n`,
			zone, short(r.Policy.Domain), proven, day, is.passed, is.outcome, n); err != nil {
			return err
		}
	}
	_, err := t.exec(`
		INSERT INTO dmarc_reporter (zone, day, reporter, org, proven, reports, messages) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (zone, day, reporter, org, proven) DO UPDATE SET
			reports = dmarc_reporter.reports + excluded.reports, messages = dmarc_reporter.messages + excluded.messages`,
		zone, day, reporter, short(r.Org), proven, sign, sign*messagesOf(flows))
	return err
}

// A total is what dmarc_total sums up for a domain and day.
type total struct {
	passed  int64
	outcome string
}

// flow returns the ID of a flow, and adds it where it is new.
func (t *intake) flow(in *Incoming, f *rollout.Flow) (id int64, err error) {
	source, dkim, spf := f.Source.String(), boolean(f.DKIM), boolean(f.SPF)
	id = t.store.number("flow", in.Report.Policy.Domain, source, f.HeaderFrom, f.Disposition, string(f.Class), f.Name, f.Provider,
		strconv.FormatInt(2*dkim+spf, 10))
	_, err = t.exec(`
		INSERT INTO dmarc_flow (id, source, header_from, dkim, spf, disposition, class, name, provider, first_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		id, source, short(f.HeaderFrom), dkim, spf, short(f.Disposition), string(f.Class), short(f.Name), f.Provider, in.Received.Unix())
	return id, err
}
