package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/sidecar"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/testdata"
)

// A story is a message that ships with the repository, with its own DNS and its own time.
type story struct {
	Name     string
	Text     string // what it is about
	Outcome  string // "Pass", "Fail, reject"
	message  []byte
	said     *sidecar.Sidecar
	verifier *dmarc.Verifier
}

// readStories reads the shipped messages.
func readStories(authservID string) ([]*story, error) {
	names, err := fs.Glob(testdata.Files, "*.eml")
	if err != nil {
		return nil, err
	}
	var list []*story
	for _, name := range names {
		s, err := readStory(strings.TrimSuffix(name, path.Ext(name)), authservID)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func readStory(name, authservID string) (*story, error) {
	read := func(ext string) sidecar.File {
		text, _ := fs.ReadFile(testdata.Files, name+ext)
		return sidecar.File{Name: name + ext, Text: text}
	}
	zone := read(".zone")
	said, err := sidecar.Read(read(".json"), zone)
	if err != nil {
		return nil, err
	}
	if said == nil || said.Zone == nil || said.HELO == nil || said.MailFrom == nil {
		return nil, errors.New("no zone, or no session")
	}
	// The first line of the zone says what the story is about, and at its end what comes of it.
	about, _, _ := strings.Cut(strings.TrimPrefix(string(zone.Text), "; "), "\n")
	text, outcome := strings.TrimSuffix(about, "."), ""
	if at := strings.LastIndex(text, ". "); at >= 0 {
		text, outcome = text[:at], text[at+2:]
	}
	s := &story{Name: name, Text: text + ".", Outcome: outcome, message: read(".eml").Text, said: said}
	s.verifier = newVerifier(paced{said.Zone}, authservID)
	s.verifier.Now = func() time.Time { return said.Now }
	return s, nil
}

// paced answers from a zone, and takes its time as servers do, so that one sees the answers come.
type paced struct{ zone resolver.Zone }

// Resolve implements resolver.Resolver. The same question always takes the same time.
func (p paced) Resolve(ctx context.Context, q resolver.Question) (resolver.Answer, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(q.String()))
	select {
	case <-time.After(time.Duration(8+h.Sum32()%35) * time.Millisecond):
		return p.zone.Resolve(ctx, q)
	case <-ctx.Done():
		return resolver.Answer{}, ctx.Err()
	}
}

// featured are a few stories that show what there is to see.
func (s *server) featured() []*story {
	return []*story{s.story("spoofed-boss-quarantine"), s.story("mailing-list"), s.story("shop-through-provider")}
}

func (s *server) story(name string) *story {
	for _, story := range s.stories {
		if story.Name == name {
			return story
		}
	}
	return nil
}
