package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/dmarc/failure"
	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
)

// read prints the reports in files, folders and standard input, and puts them into a store.
func (p *program) read(ctx context.Context, args []string) error {
	set := p.flags("read", "FILE|DIR|imaps://USER@HOST/FOLDER|- ...")
	set.Bool("json", true, "JSON, one report a line, which is what it always prints")
	store := storeFlag(set, "")
	trusted := set.Bool("trusted", false, "take all reports for proven: where they come from, others have verified their mails")
	var reporters reporterList
	set.Var(&reporters, "reporter", "count the reports of this `DOMAIN` and names below it (repeatable); without it, of all that prove who they are")
	quiet := set.Bool("quiet", false, "print no reports")
	keep := set.String("keep", "", "keep a copy of what could not be read in this `DIR`")
	var mailbox imapFlags
	mailbox.define(set)
	var dns dnsflags.Flags
	dns.Define(set)
	arguments, err := parse(set, args)
	if err != nil {
		return err
	}
	if len(arguments) == 0 {
		return errors.New("read needs a file, a folder, an IMAP mailbox, or - for standard input")
	}
	r := &reading{program: p, quiet: *quiet, trusted: *trusted, reporters: reporters, kept: *keep, seen: make(map[string]bool), domains: make(map[string]bool)}
	answers, err := dns.Resolver()
	if err != nil {
		return err
	}
	if *store != "" {
		inbox, done, err := openInbox(ctx, *store)
		if err != nil {
			return err
		}
		defer done()
		r.inbox, r.prover = inbox, newProver(answers, time.Now)
	}
	r.progress = newProgress(p.stderr)
	r.arguments(ctx, arguments, &mailbox)
	r.flush(ctx)
	r.prepare(ctx)
	r.progress.end()
	r.summary()
	switch {
	case r.fatal != nil:
		return r.fatal
	case r.unread > 0, r.failed > 0:
		return errComplained
	}
	return nil
}

// arguments reads what the arguments stand for. A mailbox that cannot be read does not keep the others from
// being read.
func (r *reading) arguments(ctx context.Context, list []string, flags *imapFlags) {
	for _, argument := range list {
		u, err := imapURL(argument)
		switch {
		case err == nil && u == nil:
			r.program.items(ctx, argument, func(in item) bool { return r.take(ctx, in) == nil })
		case err == nil:
			err = r.mailbox(ctx, u, flags)
		}
		if r.fatal != nil || ctx.Err() != nil {
			return
		}
		if err != nil {
			r.failed++
			r.progress.hide()
			r.program.complain(err)
		}
	}
}

// A reading is one run of read.
type reading struct {
	program  *program
	inbox    *sqlstore.Inbox // nil without a store
	prover   *prover
	trusted  bool
	quiet    bool
	kept     string // a folder for copies of what could not be read, or ""
	progress *progress

	reporters reporterList // whose reports are counted

	pending []sqlstore.Incoming // that the store does not have yet
	domains map[string]bool     // of which the store has new reports
	seen    map[string]bool     // by Report.Key

	reports, repeated, failures, added, unproven, strangers, incomplete, unread, open int

	failed int   // mailboxes
	fatal  error // nothing more can be done
}

// batch is how many reports go into the store at once: one by one takes several times as long.
const batch = 100

// take reads an item, prints what is in it, and has it stored. What cannot be read is said; the error is
// that of the output or the store.
func (r *reading) take(ctx context.Context, in item) error {
	documents, err := readItem(in)
	var reporter string
	if len(documents) > 0 && r.prover != nil {
		reporter = r.reporter(ctx, in)
	}
	for i := range documents {
		d := &documents[i]
		d.Reporter = reporter
		if d.report != nil {
			d.Repeated = r.seen[d.report.Key()]
			r.seen[d.report.Key()] = true
			r.keep(d, reporter)
		}
		r.count(d)
		if r.fatal == nil && !r.quiet {
			r.fatal = r.print(d)
		}
	}
	if err != nil {
		r.unread++
		r.progress.hide()
		r.program.complain(fmt.Errorf("%s: %w%s", in.name, err, r.keepCopy(in)))
	}
	if len(r.pending) >= batch {
		r.flush(ctx)
	}
	r.progress.add()
	return r.fatal
}

// reporter returns for whom the mail passes DMARC.
func (r *reading) reporter(ctx context.Context, in item) string {
	domain, open := r.prover.reporter(ctx, in.data)
	if open {
		r.open++
	}
	return domain
}

// keep has a report stored, unless it is not whole: the same one may come again.
func (r *reading) keep(d *document, reporter string) {
	if d.report.Err != nil {
		r.incomplete++
		return
	}
	if r.inbox == nil {
		return
	}
	switch {
	case reporter == "" && r.trusted:
		reporter = trustedReporter
	case reporter == "":
		r.unproven++
	case !r.reporters.has(reporter):
		reporter = ""
		r.strangers++
	}
	r.pending = append(r.pending, sqlstore.Incoming{Report: d.report, Reporter: reporter, Received: r.prover.now()})
}

// keepCopy keeps what could not be read, and says where.
func (r *reading) keepCopy(in item) string {
	if r.kept == "" || len(in.data) == 0 {
		return ""
	}
	sum := sha256.Sum256(in.data)
	path := filepath.Join(r.kept, hex.EncodeToString(sum[:8]))
	err := replaceFile(path, func(f *os.File) error {
		_, err := f.Write(in.data)
		return err
	})
	if err != nil {
		r.fatal = cmp.Or(r.fatal, fmt.Errorf("-keep %s: %w", r.kept, cause(err)))
		return ""
	}
	return " (kept as " + path + ")"
}

func (r *reading) count(d *document) {
	if d.report == nil {
		r.failures++
		return
	}
	r.reports++
	if d.Repeated {
		r.repeated++
	}
}

func (r *reading) print(d *document) error {
	r.progress.hide()
	return r.program.printJSON(d)
}

// flush has the store take what is pending.
func (r *reading) flush(ctx context.Context) {
	if len(r.pending) == 0 || r.fatal != nil {
		return
	}
	added, err := r.inbox.Receive(ctx, r.pending...)
	if err != nil {
		r.fatal = err
		return
	}
	for i, a := range added {
		if a {
			r.added++
			r.domains[r.pending[i].Report.Policy.Domain] = true
		}
	}
	r.pending = r.pending[:0]
}

// prepare has the store sum up what came, so that the first question does not wait for that.
func (r *reading) prepare(ctx context.Context) {
	for domain := range r.domains {
		if r.fatal == nil {
			r.fatal = r.inbox.Prepare(ctx, domain, r.prover.now())
		}
	}
}

// summary says what became of the reports, where there is a store.
func (r *reading) summary() {
	if r.inbox == nil {
		return
	}
	w := r.program.stderr
	fmt.Fprintf(w, "%d reports: %d new, %d that the store had\n", r.reports, r.added, r.reports-r.added-r.incomplete)
	if r.failures > 0 {
		fmt.Fprintf(w, "%d failure reports, which are printed and not stored\n", r.failures)
	}
	if r.unproven > 0 {
		fmt.Fprintf(w, "%d came in no mail that passes DMARC: they are counted apart, and rollout leaves them out (-trusted takes them)\n", r.unproven)
	}
	if r.strangers > 0 {
		fmt.Fprintf(w, "%d came from others than -reporter names: they are counted apart too\n", r.strangers)
	}
	if r.open > 0 {
		fmt.Fprintf(w, "%d could not be verified now, as DNS failed: read them again\n", r.open)
	}
	if r.unread > 0 {
		fmt.Fprintf(w, "%d could not be read, or not to the end\n", r.unread)
	}
}

// readItem returns what is printed of a file or mail. An error may stand beside reports: then not all
// is whole.
func readItem(in item) (documents []document, err error) {
	if in.err != nil {
		return nil, in.err
	}
	reports, err := new(aggregate.Reader).Read(bytes.NewReader(in.data))
	for _, r := range reports {
		documents = append(documents, ofAggregate(in.name, r))
	}
	if len(reports) > 0 || errors.Is(err, aggregate.ErrTLSReport) {
		return documents, err
	}
	// Failure reports also come without the part that says what they are.
	if report, failureErr := failure.Read(bytes.NewReader(in.data)); failureErr == nil {
		return []document{ofFailure(in.name, report)}, nil
	}
	return nil, err
}
