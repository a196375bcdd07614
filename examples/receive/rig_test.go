package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/mailverdict/mailverdict/resolver"
)

// A rig is a server that listens on loopback, with made-up DNS.
type rig struct {
	*server
	mail, page string // addresses; page begins with http://
}

// start starts a server with other limits than the defaults where change sets them.
func start(t *testing.T, change func(*server)) *rig {
	t.Helper()
	dns, err := demoDNS()
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, dns, change)
}

func startWith(t *testing.T, dns resolver.Resolver, change func(*server)) *rig {
	t.Helper()
	certificate, err := selfSigned(demoDomain)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{domain: demoDomain, authservID: demoDomain, demo: true, limits: defaultLimits, tls: certificate}
	if change != nil {
		change(s)
	}
	if _, err := newServer(s, dns); err != nil {
		t.Fatal(err)
	}
	r := &rig{server: s}
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	mail, page := listen(), listen()
	r.mail, r.page = mail.Addr().String(), "http://"+page.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, mail, page) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// send sends a message by SMTP, and returns the error of the server's last reply.
func (r *rig) send(t *testing.T, from, to, message string) error {
	t.Helper()
	c := r.dial(t)
	defer c.Close()
	if err := c.Mail(from, nil); err != nil {
		return err
	}
	if err := c.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(message)); err != nil {
		return err
	}
	return w.Close()
}

// dial connects as a mail server does.
func (r *rig) dial(t *testing.T) *smtp.Client {
	t.Helper()
	c, err := smtp.DialStartTLS(r.mail, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	c.CommandTimeout = 30 * time.Second
	if err := c.Hello("laptop.example"); err != nil {
		t.Fatal(err)
	}
	return c
}

// session makes a visitor as the page does.
func (r *rig) session(t *testing.T) (s struct{ Address, Events, Page string }) {
	t.Helper()
	response, err := http.Post(r.page+"/api/session", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return s
}

// get returns the status and the body of a page.
func (r *rig) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get(r.page + path)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func read(t *testing.T, response *http.Response) (int, string) {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// post sends a form.
func (r *rig) post(t *testing.T, path string, form url.Values) (int, string) {
	t.Helper()
	response, err := http.PostForm(r.page+path, form)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// paste sends the form with a message, and returns the page that follows and its path.
func (r *rig) paste(t *testing.T, path string, fields map[string]string) (status int, body, at string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := form.WriteField(name, fields[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(r.page+path, form.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	status, body = read(t, response)
	return status, body, response.Request.URL.Path
}

// An arrived is an event of a stream.
type arrived struct{ id, kind, data string }

// stream follows a stream of events until one is of that kind, or the time is up.
func (r *rig) stream(t *testing.T, path, after, until string) (list []arrived) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.page+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if after != "" {
		request.Header.Set("Last-Event-ID", after)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Fatal(response.Status, got)
	}
	var e arrived
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data += value + "\n"
		case "":
			if e.kind != "" {
				list = append(list, e)
			}
			if e.kind == until {
				return list
			}
			e = arrived{}
		}
	}
	t.Fatalf("the stream ended before %q, after %d events", until, len(list))
	return nil
}

// visit is a visitor who gets an address, sends a mail there, and watches it come: this mail and no other.
func (r *rig) visit(t *testing.T, n int) {
	s := r.session(t)
	subject := fmt.Sprintf("For number %d.", n)
	if err := r.send(t, "me@laptop.example", s.Address, strings.Replace(mine, "Hello", subject, 1)); err != nil {
		t.Error(err)
		return
	}
	found := false
	for _, e := range r.stream(t, s.Events, "", "result") {
		rest := strings.ReplaceAll(e.data, subject, "")
		found = found || rest != e.data
		if strings.Contains(rest, "For number") {
			t.Errorf("visitor %d sees somebody else's mail: %s", n, e.data)
		}
	}
	if !found {
		t.Errorf("visitor %d does not see the own mail", n)
	}
}

// mine is a message that passes, by a mail server on this host.
const mine = "From: Me <me@laptop.example>\r\nTo: you@learn.example\r\nSubject: Hello\r\n\r\nThe secret of the body.\r\n"
