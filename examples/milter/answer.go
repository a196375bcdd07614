package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/d--j/go-milter"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/authres"
	"github.com/mailverdict/mailverdict/spf/receivedspf"
)

// answer ends a message: it decides, changes the header, and logs what was done.
func (d *daemon) answer(msg *message, m milter.Modifier) (*milter.Response, error) {
	msg.endHeader()
	if msg.failure != nil {
		return d.failed(msg, msg.failure), nil
	}
	if len(msg.remove) > maxRemovals && msg.setup.Shadow == "" {
		d.log.Warn("message", append(msg.attributes(actionReject), msg.envelope(), slog.String("failure", "too many forged fields"))...)
		return milter.RejectWithCodeAndReason(550, "5.6.0 Message refused: too many forged fields")
	}
	if msg.session == nil {
		return d.unchecked(msg, m)
	}
	r, err := msg.session.Finish()
	if err != nil {
		return d.failed(msg, err), nil
	}
	if msg.setup.Shadow != "" {
		d.compare(msg, r)
		return milter.RespAccept, nil
	}

	result := *r
	var done action
	done, result.DMARC = decide(r, msg.terms())
	response := milter.RespAccept
	if reply, ok := result.SMTPReply(); ok {
		response, err = refusal(reply, msg.setup.RejectText)
	} else {
		err = change(m, msg.remove, additions(msg, &result, done))
	}
	if err != nil {
		return d.failed(msg, err), nil
	}
	line := append(msg.attributes(done), d.count(msg, r, result.DMARC)...)
	d.metrics.forged.Add(float64(len(msg.remove)))
	d.metrics.messages.WithLabelValues(result.DMARC.Status.String(), string(done), string(msg.kind)).Inc()
	d.log.Info("message", append(line, slog.Any("result", result))...)
	return response, nil
}

// unchecked answers a message that is not checked. That of an authenticated client loses its forged
// fields: a user must not write our fields either.
func (d *daemon) unchecked(msg *message, m milter.Modifier) (*milter.Response, error) {
	if msg.kind != clientAuthenticated || msg.setup.Shadow != "" {
		msg.remove = nil
	}
	if err := change(m, msg.remove, nil); err != nil {
		return d.failed(msg, err), nil
	}
	d.metrics.forged.Add(float64(len(msg.remove)))
	d.skip(msg)
	return milter.RespAccept, nil
}

// skip notes that a message is not checked.
func (d *daemon) skip(msg *message) {
	d.metrics.skipped.WithLabelValues(string(msg.kind)).Inc()
	d.log.Info("message", append(msg.attributes(actionSkip), msg.envelope())...)
}

// failed answers a message that this program could not check.
func (d *daemon) failed(msg *message, why error) *milter.Response {
	d.metrics.failures.WithLabelValues("message").Inc()
	done := actionTempFail
	if msg.setup.onFailure() == milter.RespAccept {
		done = actionAccept
	}
	d.log.Error("message", append(msg.attributes(done), msg.envelope(), slog.String("failure", why.Error()))...)
	return msg.setup.onFailure()
}

// onFailure is the answer to a message that this program could not check.
func (s *setup) onFailure() *milter.Response {
	if s.Failure == "accept" || s.Shadow != "" {
		return milter.RespAccept
	}
	return milter.RespTempFail
}

// terms are what the configuration says about a message.
func (msg *message) terms() terms {
	return terms{enforce: msg.setup.word(msg.kind) == "enforce", exempt: msg.exempt}
}

// envelope is what lines without a result say of the SMTP session.
func (msg *message) envelope() slog.Attr {
	return slog.Group("result", slog.String("client", msg.client.ip.String()), slog.String("helo", msg.client.helo), slog.String("mail_from", msg.from))
}

// attributes are what every line about a message says. The queue id of one that is skipped at MAIL is empty:
// Postfix gives it later.
func (msg *message) attributes(done action) []any {
	return []any{
		slog.String("queue_id", msg.queue),
		slog.String("kind", string(msg.kind)),
		slog.Float64("took_ms", float64(time.Since(msg.began).Microseconds())/1000),
		slog.Int64("dns_questions", msg.questions.Load()),
		slog.Int("recipients", len(msg.rcpts)),
		slog.Bool("exempt", msg.exempt),
		slog.String("action", string(done)),
		slog.Int("forged_fields", len(msg.remove)),
	}
}

// refusal is the answer that refuses a message.
func refusal(r dmarc.Reply, text string) (*milter.Response, error) {
	if text != "" && r.Code >= 500 {
		r.Text += " " + text
	}
	return milter.RejectWithCodeAndReason(uint16(r.Code), r.Enhanced+" "+r.Text)
}

// additions returns the fields to add, topmost first.
func additions(msg *message, r *dmarc.Result, done action) (list []field) {
	id := msg.authservID
	list = append(list, split(authres.Formatter{SMTPUTF8: msg.utf8}.Format(id, r)))
	if msg.setup.ReceivedSPF {
		checked := r.SPF
		if msg.from == "" && r.HELO != nil {
			checked = r.HELO
		}
		if checked != nil {
			list = append(list, split(receivedspf.New(checked, r.Envelope, id).String()))
		}
	}
	if done == actionMark && msg.setup.MarkField != "" {
		list = append(list, field{msg.setup.MarkField, " quarantine"})
	}
	return list
}

// split takes a field apart.
func split(text string) field {
	name, value, _ := strings.Cut(text, ":")
	return field{name, value}
}

// errAction says that the MTA does not let this program change the header.
var errAction = errors.New("the MTA does not allow changes of the header")

// change removes and adds fields. They are removed from the last to the first, so that the numbers of
// the others hold. Fields are added above all others, also above the MTA's own Received field.
func change(m milter.Modifier, remove []removal, add []field) error {
	if m.Actions()&actions != actions {
		return errAction
	}
	for i := len(remove) - 1; i >= 0; i-- {
		if err := m.ChangeHeader(remove[i].n, remove[i].name, ""); err != nil {
			return fmt.Errorf("removing a field: %w", err)
		}
	}
	for i := len(add) - 1; i >= 0; i-- {
		value := add[i].value
		if m.Protocol()&milter.OptHeaderLeadingSpace == 0 {
			value = strings.TrimPrefix(value, " ")
		}
		if err := m.InsertHeader(0, add[i].name, value); err != nil {
			return fmt.Errorf("adding a field: %w", err)
		}
	}
	return nil
}
