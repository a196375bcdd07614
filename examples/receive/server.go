package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/internal/counting"
	"github.com/mailverdict/mailverdict/examples/receive/smtpd"
	"github.com/mailverdict/mailverdict/resolver"
	"golang.org/x/sync/errgroup"
)

// A server is the SMTP server and the page.
type server struct {
	domain     string
	authservID string
	reject     bool
	demo       bool
	proxies    []netip.Prefix // whose X-Forwarded-For is believed
	verifier   *dmarc.Verifier
	tls        *tls.Config
	log        *slog.Logger
	limits     limits
	counter    *counting.Counter // of the mail that comes in, or nil
	json       io.Writer         // takes a line for each message that comes in, or nil
	jsonMu     sync.Mutex

	visitors *visitors
	stories  []*story
	sample   *sample
	mails    *quota
	dns      *quota
	streams  *slots
	uploads  *slots
	checks   *slots // for checks that the page began
	closing  context.Context
}

// newServer fills in what the options of a server do not say.
func newServer(s *server, r resolver.Resolver) (*server, error) {
	if s.limits == (limits{}) {
		s.limits = defaultLimits
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.verifier = newVerifier(r, s.authservID)
	s.visitors = newVisitors(s.limits, s.domain)
	s.mails, s.dns = newQuota(s.limits.mails), newQuota(s.limits.questions)
	s.streams = newSlots(s.limits.streams, s.limits.streamsByClient)
	s.uploads = newSlots(s.limits.uploads, s.limits.uploadsByClient)
	s.checks = newSlots(s.limits.checks, s.limits.checksByClient)
	s.closing = context.Background()
	var err error
	if s.stories, err = readStories(s.authservID); err != nil {
		return nil, err
	}
	s.sample, err = s.newSample(sampleStory)
	return s, err
}

func newVerifier(r resolver.Resolver, receiver string) *dmarc.Verifier {
	v := &dmarc.Verifier{Resolver: r}
	v.SPF.Receiver = receiver
	v.SPF.Trace = true // the page shows the record term by term
	return v
}

// smtpServer returns a server for messages that come in the given way.
func (s *server) smtpServer(v *dmarc.Verifier, r *receiver) *smtp.Server {
	server := smtp.NewServer(&smtpd.Backend{Verifier: v, Receiver: r, Reject: s.reject})
	server.Domain = s.domain
	server.TLSConfig = s.tls
	server.EnableSMTPUTF8 = true
	server.MaxRecipients = 1
	server.MaxMessageBytes = s.limits.size
	server.ReadTimeout = s.limits.idle
	server.WriteTimeout = time.Minute
	server.ErrorLog = smtpLog{s.log}
	return server
}

// webServer returns a server for the page.
func (s *server) webServer() *http.Server {
	return &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute, // of a form with 10 MiB
		WriteTimeout:      3 * time.Minute, // from the request on; a stream sets its own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}

// smtpLog has the server's log take what go-smtp says, which is about clients that went away.
type smtpLog struct{ log *slog.Logger }

func (l smtpLog) Printf(format string, v ...any) {
	l.log.Debug("smtp", slog.String("format", format), slog.Any("values", v))
}
func (l smtpLog) Println(v ...any) { l.log.Debug("smtp", slog.Any("values", v)) }

// serve serves both until ctx ends or one of them fails.
func (s *server) serve(ctx context.Context, mail, web net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	s.closing = ctx
	mailServer := s.smtpServer(s.verifier, &receiver{server: s, via: "by SMTP"})
	webServer := s.webServer()
	g.Go(func() error {
		return mailServer.Serve(&guard{Listener: mail, slots: newSlots(s.limits.connections, s.limits.connectionsByClient),
			life: s.limits.connectionTime, idle: s.limits.idle, full: "421 4.7.0 Too many connections, try again later\r\n"})
	})
	g.Go(func() error {
		each := s.limits.webByClient
		if len(s.proxies) > 0 {
			each = s.limits.web // all come from the proxy
		}
		err := webServer.Serve(&guard{Listener: web, slots: newSlots(s.limits.web, each)})
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	g.Go(func() error {
		<-ctx.Done()
		wait, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		_ = mailServer.Close()
		if webServer.Shutdown(wait) != nil {
			_ = webServer.Close() // somebody is still sending a form
		}
		return nil
	})
	return g.Wait()
}
