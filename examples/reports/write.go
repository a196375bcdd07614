package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// A writing is one run of write.
type writing struct {
	program *program
	store   *sqlstore.Store
	sender  *send.Sender

	out     string // the folder for files, or ""
	asJSON  bool
	written map[string]string // the files of reports, by ID

	deliveries, sent, failed int
	err                      error
}

// write makes the reports about mail that a receiver counted: as files, as a list of what would be sent,
// or as mails.
func (p *program) write(ctx context.Context, args []string) error {
	set := p.flags("write", "")
	store := storeFlag(set, defaultStore)
	w := &writing{program: p, written: make(map[string]string)}
	set.StringVar(&w.out, "out", "", "write each report that is due as a file into this `DIR`, and each mail, if there is a -key")
	set.BoolVar(&w.asJSON, "json", false, "JSON, a delivery a line")
	sending := set.Bool("send", false, "send what is due; without it nothing is sent, and the store stays as it is")
	forever := set.Bool("run", false, "with -send: do not end, and send what becomes due")
	bounced := set.String("bounced", "", "note that a mail came back to this `ADDRESS`, and do nothing else")
	var options senderFlags
	options.define(set)
	arguments, err := parse(set, args)
	switch {
	case err != nil:
		return err
	case len(arguments) > 0:
		return fmt.Errorf("write takes no arguments, only flags: %q", arguments[0])
	case *sending && options.keyFile == "":
		return errors.New("-send needs -key: a report whose mail does not pass DMARC is not read")
	case *forever && !*sending:
		return errors.New("-run needs -send")
	}
	if w.sender, err = options.sender(); err != nil {
		return err
	}
	db, dialect, err := database.Open(*store)
	if err != nil {
		return err
	}
	defer db.Close()
	if w.store, err = sqlstore.Open(ctx, db, dialect); err != nil {
		return fmt.Errorf("-store %s: %w", database.WithoutPassword(*store), err)
	}
	w.sender.Queue, w.sender.Attempted = w.store, func(t *send.Task) { w.tell(t, nil) }
	switch {
	case *bounced != "":
		return w.bounce(ctx, *bounced)
	case *sending:
		return w.send(ctx, *forever)
	}
	return w.preview(ctx, options.keyFile != "")
}

// send has the Sender send what is due.
func (w *writing) send(ctx context.Context, forever bool) error {
	if w.out != "" {
		if err := w.each(ctx, func(*send.Task) {}); err != nil {
			return err
		}
	}
	if forever {
		err := w.sender.Run(ctx)
		if ctx.Err() != nil {
			return w.err
		}
		return err
	}
	if _, err := w.sender.Send(ctx); err != nil {
		return err
	}
	// Run does this itself.
	if err := w.store.Prune(ctx, time.Now().Add(-send.DefaultKeep)); err != nil {
		return err
	}
	w.summary("%d deliveries tried: %d sent, %d given up for good\n", w.deliveries, w.sent, w.failed)
	return w.outcome()
}

// preview says what would be sent, which needs the key: the mail is made, signed and verified.
func (w *writing) preview(ctx context.Context, mails bool) error {
	if !mails {
		if err := w.each(ctx, func(t *send.Task) { w.tell(t, nil) }); err != nil {
			return err
		}
		w.summary("%d deliveries are due. Without -key their mails cannot be made, so that nobody was asked whether the destinations agree.\n", w.deliveries)
		return w.err
	}
	if w.out != "" {
		if err := w.each(ctx, func(*send.Task) {}); err != nil {
			return err
		}
	}
	if err := w.sender.Preview(ctx, w.tell); err != nil {
		return err
	}
	w.summary("%d deliveries are due, %d mails would go out (-send sends them)\n", w.deliveries, w.sent)
	return w.err
}

// each calls f for each delivery that waits, and writes the files of their reports.
func (w *writing) each(ctx context.Context, f func(*send.Task)) error {
	after := w.sender.After
	if after == 0 {
		after = send.DefaultAfter
	}
	for t, err := range w.store.Pending(ctx, time.Now().Add(-after)) {
		if err == nil && w.out != "" {
			err = w.file(ctx, t)
		}
		if err != nil {
			return err
		}
		f(t)
	}
	return nil
}

// file writes the report of a delivery under the name that RFC 9990 gives it.
func (w *writing) file(ctx context.Context, t *send.Task) error {
	if w.written[t.Report.ID] != "" {
		return nil
	}
	report := *t.Report
	report.Org, report.Email, report.Contact, report.Generator = w.sender.Org, w.sender.From, w.sender.Contact, "mailverdict"
	if report.Org == "" {
		report.Org = w.sender.Submitter
	}
	name := (&aggregate.Mail{Report: &report, Submitter: w.sender.Submitter}).Filename()
	err := replaceFile(filepath.Join(w.out, filepath.Base(name)), func(f *os.File) error {
		z := gzip.NewWriter(f)
		if err := report.WriteXML(z, w.store.Rows(ctx, t)); err != nil {
			return err
		}
		return z.Close()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, cause(err))
	}
	w.written[t.Report.ID] = filepath.Base(name)
	return nil
}

// replaceFile writes a file, so that nobody ever sees a part of it.
func replaceFile(path string, write func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// A delivered is what is printed of a delivery as JSON.
type delivered struct {
	ReportID string     `json:"report_id"`
	Domain   string     `json:"domain"`
	Begin    int64      `json:"begin"`
	End      int64      `json:"end"`
	To       string     `json:"to"`
	State    send.State `json:"state"`
	Due      int64      `json:"due,omitempty"` // when it is tried, if it waits
	Reason   string     `json:"reason,omitempty"`
	File     string     `json:"file,omitempty"`
	Mail     string     `json:"mail,omitempty"`
}

// tell prints what became of a delivery, or would, and writes its mail, if there is one.
func (w *writing) tell(t *send.Task, mail []byte) {
	w.deliveries++
	switch t.State {
	case send.StateSent:
		w.sent++
	case send.StateFailed, send.StateBounced:
		w.failed++
	}
	d := delivered{
		ReportID: t.Report.ID, Domain: t.Report.Policy.Domain, Begin: t.Report.Begin.Unix(), End: t.Report.End.Unix(),
		To: t.Address, State: t.State, Reason: t.Reason, File: w.written[t.Report.ID],
	}
	if t.State == send.StateWaiting && !t.Due.IsZero() {
		d.Due = t.Due.Unix()
	}
	if w.out != "" && len(mail) > 0 {
		d.Mail = t.ID + ".eml"
		w.keep(replaceFile(filepath.Join(w.out, d.Mail), func(f *os.File) error {
			_, err := f.Write(mail)
			return err
		}))
	}
	if w.asJSON {
		w.keep(json.NewEncoder(w.program.stdout).Encode(d))
		return
	}
	text := fmt.Sprintf("%s %s to %s: %s", t.Report.Begin.UTC().Format(time.DateOnly), printable(d.Domain), printable(d.To), d.State)
	if d.Reason != "" {
		text += ": " + printable(d.Reason)
	}
	_, err := fmt.Fprintln(w.program.stdout, text)
	w.keep(err)
}

// keep remembers the first error of the output.
func (w *writing) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writing) summary(format string, args ...any) {
	fmt.Fprintf(w.program.stderr, format, args...)
	if len(w.written) > 0 {
		fmt.Fprintf(w.program.stderr, "%d reports written to %s\n", len(w.written), printable(w.out))
	}
}

func (w *writing) outcome() error {
	if w.err == nil && w.failed > 0 {
		return errFound
	}
	return w.err
}

// bounce notes that a mail came back.
func (w *writing) bounce(ctx context.Context, address string) error {
	known, err := w.sender.Bounced(ctx, address)
	if err == nil && !known {
		err = fmt.Errorf("%s is no address that reports are sent from (-bounces)", address)
	}
	return err
}
