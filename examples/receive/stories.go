package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
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

// play sends a story to an address: SMTP over a connection within this program, whose client has the
// address that the story tells.
func (s *server) play(story *story, address string) error {
	ours, theirs := net.Pipe()
	listener := newOneConn(storyConn{theirs, net.TCPAddrFromAddrPort(netip.AddrPortFrom(story.said.IP, 25252))})
	server := s.smtpServer(story.verifier, &receiver{server: s, via: "a story, by SMTP", story: story})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		<-served
	}()
	client := smtp.NewClient(ours)
	defer client.Close()
	if err := client.Hello(*story.said.HELO); err != nil {
		return err
	}
	if err := client.Mail(*story.said.MailFrom, &smtp.MailOptions{UTF8: true}); err != nil {
		return err
	}
	if err := client.Rcpt(address, nil); err != nil {
		return err
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := bytes.NewReader(story.message).WriteTo(data); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// A storyConn is a connection from the client of a story.
type storyConn struct {
	net.Conn
	client net.Addr
}

func (c storyConn) RemoteAddr() net.Addr { return c.client }

// A oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newOneConn(c net.Conn) *oneConn {
	l := &oneConn{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conn <- c
	return l
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
