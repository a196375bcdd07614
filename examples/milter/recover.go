package main

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/d--j/go-milter"
)

// A recovering handler contains panics: without it, one ends the whole process. The message
// under way is answered as one that the program could not check; the connection goes on.
type recovering struct{ *handler }

var _ milter.Milter = recovering{}

// contain is deferred by every method. It notes a panic, so that the end of the message is answered by it.
func (r recovering) contain(response **milter.Response, err *error) {
	p := recover()
	if p == nil {
		return
	}
	d := r.daemon
	d.metrics.failures.WithLabelValues("panic").Inc()
	d.log.Error("panic", slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
	if err != nil {
		*err = nil
	}
	if msg := r.message; msg != nil {
		msg.note(fmt.Errorf("panic: %v", p))
		if response != nil {
			*response = milter.RespContinue
		}
		return
	}
	if response != nil {
		*response = d.setup.Load().onFailure()
	}
}

func (r recovering) NewConnection(m milter.Modifier) (err error) {
	defer r.contain(nil, &err)
	return r.handler.NewConnection(m)
}

func (r recovering) Connect(host, family string, port uint16, addr string, m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.Connect(host, family, port, addr, m)
}

func (r recovering) Helo(name string, m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.Helo(name, m)
}

func (r recovering) MailFrom(from, args string, m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.MailFrom(from, args, m)
}

func (r recovering) RcptTo(to, args string, m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.RcptTo(to, args, m)
}

func (r recovering) Header(name, value string, m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.Header(name, value, m)
}

func (r recovering) Headers(m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.Headers(m)
}

func (r recovering) BodyChunk(chunk []byte, m milter.Modifier) (resp *milter.Response, err error) {
	defer r.contain(&resp, &err)
	return r.handler.BodyChunk(chunk, m)
}

// EndOfMessage answers a panic as the configuration says of failures.
func (r recovering) EndOfMessage(m milter.Modifier) (resp *milter.Response, err error) {
	msg := r.message
	defer func() {
		if r.message != nil { // the message was not ended: the method panicked
			resp = r.daemon.failed(msg, msg.failure)
			r.giveUp()
		}
	}()
	defer r.contain(&resp, &err)
	return r.handler.EndOfMessage(m)
}

func (r recovering) Abort(m milter.Modifier) (err error) {
	defer r.contain(nil, &err)
	return r.handler.Abort(m)
}

func (r recovering) Cleanup(m milter.Modifier) {
	defer r.contain(nil, nil)
	r.handler.Cleanup(m)
}
