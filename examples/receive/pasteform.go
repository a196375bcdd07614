package main

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/mailverdict/mailverdict/examples/internal/envelope"
)

// postPaste checks a message that is pasted or uploaded. A visitor is made if there is none.
func (s *server) postPaste(w http.ResponseWriter, r *http.Request, v *visitor) {
	l, err := s.upload(w, r)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errUploads) {
			status = http.StatusTooManyRequests
		}
		s.showWay(w, status, "paste", v, capital(err.Error())+".")
		return
	}
	made := v == nil
	if made {
		if v = s.newVisitor(w, r); v == nil {
			return
		}
	}
	n, err := s.check(v, l)
	if err != nil {
		if made {
			v.delete()
			v = nil
		}
		s.showWay(w, http.StatusTooManyRequests, "paste", v, capital(err.Error())+".")
		return
	}
	http.Redirect(w, r, v.path()+"/"+strconv.Itoa(n), http.StatusSeeOther)
}

var errUploads = errors.New("too many messages are being sent here just now: try again in a minute")

// upload reads the form and the message in it, which is held in memory meanwhile.
func (s *server) upload(w http.ResponseWriter, r *http.Request) (*letter, error) {
	free := s.uploads.take(s.client(r))
	if free == nil {
		return nil, errUploads
	}
	defer free()
	p, err := readPaste(w, r, s.limits.size)
	if err != nil {
		return nil, err
	}
	return p.read(s.limits.size)
}

// readPaste reads the form.
func readPaste(w http.ResponseWriter, r *http.Request, limit int64) (p pasted, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, limit+limit/2)
	form, err := r.MultipartReader()
	if err != nil {
		return p, errors.New("send the form as it is on the page")
	}
	p.known.Origin = "form"
	for range 10 { // parts
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return p, errors.New("the form did not come to its end, or is larger than 10 MiB")
		}
		text, err := io.ReadAll(io.LimitReader(part, limit+1))
		if err != nil || int64(len(text)) > limit {
			return p, errors.New("the form did not come to its end, or is larger than 10 MiB")
		}
		if err := p.take(part.FormName(), text); err != nil {
			return p, err
		}
	}
	if len(p.text) == 0 {
		return p, errors.New("there is no message in the form: paste one, or choose a file")
	}
	return p, nil
}

// take takes a field of the form.
func (p *pasted) take(name string, text []byte) (err error) {
	value := strings.TrimSpace(string(text[:min(len(text), 1000)]))
	switch {
	case len(text) == 0:
	case name == "message" && p.text == nil, name == "file":
		p.text = text
	case value == "":
	case name == "ip":
		if p.known.IP, err = envelope.ParseIP(value); err != nil {
			return errors.New("the client's address is " + err.Error())
		}
	case name == "helo":
		p.known.HELO = &value
	case name == "from":
		value = envelope.ReversePath(value)
		p.known.MailFrom = &value
	}
	return nil
}
