package main

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/receive/show"
)

// sampleStory is the story whose result the first page shows in short.
const sampleStory = "shop-through-provider"

// A sample is what the first page shows of a story.
type sample struct {
	Story string
	HTML  template.HTML
}

// newSample checks a story as if it had come by SMTP, without the time that its DNS takes there.
func (s *server) newSample(name string) (*sample, error) {
	story := s.story(name)
	if story == nil {
		return nil, fmt.Errorf("there is no story %q", name)
	}
	fields, _, err := saved.ReadHeader(bytes.NewReader(story.message))
	if err != nil {
		return nil, err
	}
	verifier := newVerifier(story.said.Zone, s.authservID)
	verifier.Now = story.verifier.Now
	e := dmarc.Envelope{IP: story.said.IP, HELO: *story.said.HELO, MailFrom: *story.said.MailFrom}
	r, err := verifier.Verify(context.Background(), e, bytes.NewReader(story.message))
	if err != nil {
		return nil, err
	}
	v := show.New(time.Now(), "", e)
	v.Header(fields)
	v.Finish(r)
	return &sample{name, v.Sample()}, nil
}
