package stored

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/mailverdict/mailverdict/examples/internal/envelope"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/resolver"
)

// maxBeside is how large a file beside a message may be, in octets.
const maxBeside = 16 << 20

// A beside is what stands beside a message. It may be nothing.
type beside struct {
	session *envelope.Known
	now     time.Time
	zone    resolver.Zone // nil where there is none
	receipt *Receipt      // of Amazon SES, or nil
}

func (b *beside) known() []envelope.Known {
	if b.session == nil {
		return nil
	}
	return []envelope.Known{*b.session}
}

// beside reads what stands beside a message.
func (c *Checker) beside(ctx context.Context, n Name) (*beside, error) {
	b := &beside{}
	session, err := c.small(ctx, n.Sidecar)
	if err != nil {
		return nil, err
	}
	zone, err := c.small(ctx, n.Zone)
	if err != nil {
		return nil, err
	}
	if notification := ParseNotification(session.Text); notification != nil {
		b.receipt, b.now = &notification.Receipt, notification.Mail.Timestamp
		b.session = &envelope.Known{Origin: "SES notification", MailFrom: notification.Mail.source()}
		session.Text = nil
	}
	s, err := sidecar.Read(session, zone)
	if err != nil || s == nil {
		return b, err
	}
	b.zone = s.Zone
	if session.Text != nil {
		b.now = s.Now
		b.session = &envelope.Known{Origin: "sidecar file", IP: s.IP, HELO: s.HELO, MailFrom: s.MailFrom}
	}
	return b, nil
}

// small reads all of a small file.
func (c *Checker) small(ctx context.Context, name string) (sidecar.File, error) {
	if name == "" {
		return sidecar.File{}, nil
	}
	file := sidecar.File{Name: path.Base(name)}
	f, err := c.Store.Open(ctx, name)
	if err != nil {
		return file, err
	}
	defer f.Close()
	file.Text, err = io.ReadAll(io.LimitReader(f, maxBeside+1))
	if err == nil && len(file.Text) > maxBeside {
		err = fmt.Errorf("more than %d octets", maxBeside)
	}
	if err != nil {
		return file, fmt.Errorf("%s: %w", file.Name, err)
	}
	return file, nil
}

// A Notification is what Amazon SES says of a message that it received.
type Notification struct {
	Type    string     `json:"notificationType"`
	Receipt Receipt    `json:"receipt"`
	Mail    mailObject `json:"mail"`
}

type mailObject struct {
	Timestamp time.Time `json:"timestamp"`
	Source    *string   `json:"source"` // MAIL FROM
	ID        string    `json:"messageId"`
}

// A Receipt holds the verdicts of Amazon SES: PASS, FAIL, GRAY or PROCESSING_FAILED.
type Receipt struct {
	SPF    sesVerdict `json:"spfVerdict"`
	DKIM   sesVerdict `json:"dkimVerdict"`
	DMARC  sesVerdict `json:"dmarcVerdict"`
	Policy string     `json:"dmarcPolicy"` // only where DMARC is FAIL
}

type sesVerdict struct {
	Status string `json:"status"`
}

// ParseNotification returns the notification in a JSON text: bare, in the envelope of SNS, or in an
// event of Lambda. It returns nil for what is none.
func ParseNotification(text []byte) *Notification {
	var any struct {
		Notification
		SNS     string `json:"Message"`
		Records []struct {
			SES *Notification `json:"ses"`
			SNS struct {
				Message string `json:"Message"`
			} `json:"Sns"`
		} `json:"Records"`
	}
	if json.Unmarshal(text, &any) != nil {
		return nil
	}
	switch {
	case any.Receipt != Receipt{} || any.Type == "Received":
		return &any.Notification
	case any.SNS != "":
		return ParseNotification([]byte(any.SNS))
	case len(any.Records) == 1 && any.Records[0].SES != nil:
		return any.Records[0].SES
	case len(any.Records) == 1 && any.Records[0].SNS.Message != "":
		return ParseNotification([]byte(any.Records[0].SNS.Message))
	}
	return nil
}

// source returns MAIL FROM. SES writes the null sender as "<>" or as nothing.
func (m *mailObject) source() *string {
	if m.Source == nil {
		return nil
	}
	address := envelope.ReversePath(*m.Source)
	return &address
}
