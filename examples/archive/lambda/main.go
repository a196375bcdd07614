// Command lambda is the step of archive as an AWS Lambda function for Amazon SES: the event of a receipt
// rule in, the verdict out, and whether the rule goes on.
//
// SES gives a function no message. An S3 action that stands before it in the rule stores the message in
// BUCKET, under PREFIX. The line with the verdict goes to standard output, which is the log. STOP says
// of which disposition the rule stops: "reject", or "quarantine" for both; if it is not set, none. A
// DNS failure never stops a rule.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mailverdict/mailverdict/examples/archive/internal/bucket"
	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
	"github.com/mailverdict/mailverdict/resolver"
)

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	h := &handler{client: s3.NewFromConfig(c), resolver: &resolver.Cache{}, log: os.Stdout,
		prefix: "s3://" + os.Getenv("BUCKET") + "/" + os.Getenv("PREFIX"), stop: os.Getenv("STOP")}
	lambda.Start(h.handle)
}

type handler struct {
	client       *s3.Client
	resolver     resolver.Resolver // its cache outlives an invocation
	log          io.Writer
	prefix, stop string
}

// An answer is what SES and whoever tries the function get.
type answer struct {
	Disposition events.SimpleEmailDispositionValue `json:"disposition"` // of the rule
	Verdict     json.RawMessage                    `json:"verdict"`     // the line of archive
}

// handle verifies the message of an event. What cannot be read is a line too, and stops nothing.
func (h *handler) handle(ctx context.Context, event json.RawMessage) (answer, error) {
	n := stored.ParseNotification(event)
	if n == nil || n.Mail.ID == "" {
		return answer{}, fmt.Errorf("no event of Amazon SES about one message")
	}
	checker := &stored.Checker{Resolver: h.resolver, AsOf: stored.AsOfNow, Store: &withEvent{bucket.Store{Client: h.client}, event}}
	a := answer{Disposition: events.SimpleEmailContinue}
	err := checker.Check(ctx, stored.Name{File: h.prefix + n.Mail.ID, Sidecar: eventName}, func(l stored.Line) error {
		a.Verdict = bytes.TrimSpace(l.Text)
		if l.Disposition == "reject" && h.stop != "" || l.Disposition == "quarantine" && h.stop == "quarantine" {
			a.Disposition = events.SimpleEmailStopRule
		}
		_, err := h.log.Write(l.Text)
		return err
	})
	return a, err
}

// withEvent has the event as what stands beside the message.
type withEvent struct {
	bucket.Store
	event []byte
}

const eventName = "event.json"

func (w *withEvent) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == eventName {
		return io.NopCloser(bytes.NewReader(w.event)), nil
	}
	return w.Store.Open(ctx, name)
}
