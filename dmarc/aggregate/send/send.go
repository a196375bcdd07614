// Package send delivers aggregate reports to those who asked for them: RFC 9990, sections 3.5 and 4.
//
// A [Sender] takes the reports of the days that are over from a [Queue], of which package sqlstore
// has one, and mails each to its destinations:
//
//	sender := send.Sender{
//		Queue:     store,
//		Mailer:    &send.SMTP{Addr: "localhost:25"},
//		Submitter: "receiver.example",
//		From:      "dmarc@reports.receiver.example",
//		Bounces:   "dmarc-bounces@reports.receiver.example",
//		Key:       key,
//		Selector:  "s1",
//		Attempted: func(t *send.Task) { slog.Info("report", "delivery", t) },
//	}
//	err := sender.Run(ctx)
//
// # Who gets a report
//
// The addresses in the rua tag of the record that was found while mail came in. One outside of the
// organization of the policy domain gets reports only if it agrees to by a record of its own:
// [Confirm]. Who is to get no report is left out where messages are counted: see Exclude of
// aggregate.Accumulator.
//
// # What goes out
//
// Each mail is signed for the domain of From, and is verified by this module's own verifier with the
// DNS that receivers will see. It goes out only if it passes DMARC. It has a MAIL FROM of its own,
// by which bounces are known: [Sender.Bounced]. The mails of a day go out over the hours after it,
// not at once.
//
// What is not taken for now is tried again after pauses that grow from 15 minutes to 4 hours, for one
// day. An address that bounces three times gets no more reports for 30 days.
//
// # No report about a report
//
// Reports are messages too, and who gets one may report about it. Two receivers that do so with each
// other never stop. So list the addresses that reports for you come to in Exclude of
// aggregate.Accumulator, and send from a domain whose DMARC record has no rua. A Task says in its
// Reason where the latter is not so.
package send
