package main

import (
	"net/netip"
	"strings"
	"time"

	"github.com/d--j/go-milter"
)

// A client is what the MTA knows of the SMTP client.
type client struct {
	ip            netip.Addr // the zero Addr where the MTA does not know it
	name          string     // as the MTA has confirmed it; "" where it has not
	helo          string
	unix          bool // it came by a socket of this host
	authenticated bool
}

// A handler follows one connection of the MTA, which is one SMTP session: its methods are the
// commands of the protocol. Only MAIL and the end of a message are answered.
type handler struct {
	daemon   *daemon
	listener listenerConfig
	client   client
	message  *message // between MAIL and the end of the message, or nil
}

// protocol is what the MTA is asked for: the space after the colon of a field, as signatures need it,
// and no wait for answers that say nothing.
const protocol = milter.OptHeaderLeadingSpace | milter.OptNoUnknown | milter.OptNoData |
	milter.OptNoConnReply | milter.OptNoHeloReply | milter.OptNoRcptReply |
	milter.OptNoHeaderReply | milter.OptNoEOHReply | milter.OptNoBodyReply

const actions = milter.OptAddHeader | milter.OptChangeHeader

func (h *handler) NewConnection(milter.Modifier) error {
	h.client = client{}
	return nil
}

func (h *handler) Connect(host, family string, _ uint16, addr string, _ milter.Modifier) (*milter.Response, error) {
	h.client = client{unix: family == "unix"}
	if ip, err := netip.ParseAddr(addr); err == nil {
		h.client.ip = ip.Unmap().WithZone("")
	}
	if host != "unknown" && !strings.HasPrefix(host, "[") {
		h.client.name = host
	}
	return milter.RespContinue, nil
}

func (h *handler) Helo(name string, _ milter.Modifier) (*milter.Response, error) {
	h.client.helo = name
	return milter.RespContinue, nil
}

func (h *handler) MailFrom(from, args string, m milter.Modifier) (*milter.Response, error) {
	h.giveUp()
	h.client.authenticated = m.Get(milter.MacroAuthAuthen) != ""
	s := h.daemon.setup.Load()
	msg := h.daemon.begin(s, h.client, from)
	msg.authservID = s.authservID(h.listener)
	h.message = msg
	// The header of a user's message is read in any case, for forged fields.
	if !msg.pending && !msg.checked() && msg.kind != clientAuthenticated {
		h.daemon.skip(msg)
		h.giveUp()
		return milter.RespAccept, nil
	}
	for arg := range strings.FieldsSeq(args) {
		if strings.EqualFold(arg, "SMTPUTF8") {
			msg.utf8 = true
		}
	}
	msg.start()
	return milter.RespContinue, nil
}

func (h *handler) RcptTo(to, _ string, _ milter.Modifier) (*milter.Response, error) {
	if h.message != nil {
		h.message.recipient(to)
	}
	return milter.RespContinue, nil
}

func (h *handler) Data(milter.Modifier) (*milter.Response, error) { return milter.RespContinue, nil }

func (h *handler) Header(name, value string, m milter.Modifier) (*milter.Response, error) {
	if h.message != nil {
		if m.Protocol()&milter.OptHeaderLeadingSpace == 0 {
			value = " " + value
		}
		h.message.field(field{name, value})
	}
	return milter.RespContinue, nil
}

func (h *handler) Headers(milter.Modifier) (*milter.Response, error) {
	if h.message != nil {
		h.message.endHeader()
		h.daemon.observe("header", h.message.began)
	}
	return milter.RespContinue, nil
}

func (h *handler) BodyChunk(chunk []byte, _ milter.Modifier) (*milter.Response, error) {
	if h.message != nil {
		h.message.write(chunk)
	}
	return milter.RespContinue, nil
}

func (h *handler) EndOfMessage(m milter.Modifier) (*milter.Response, error) {
	msg := h.message
	if msg == nil {
		return milter.RespAccept, nil
	}
	msg.queue = m.Get(milter.MacroQueueId)
	h.daemon.observe("body", msg.began)
	ended := time.Now()
	response, err := h.daemon.answer(msg, m)
	h.daemon.observe("answer", ended)
	h.giveUp()
	return response, err
}

// Abort ends a message: RSET, or the end of one that was answered.
func (h *handler) Abort(milter.Modifier) error {
	h.giveUp()
	return nil
}

func (h *handler) Unknown(string, milter.Modifier) (*milter.Response, error) {
	return milter.RespContinue, nil
}

// Cleanup ends the connection, in the middle of a message or after one.
func (h *handler) Cleanup(milter.Modifier) { h.giveUp() }

// giveUp ends the message that is under way.
func (h *handler) giveUp() {
	if msg := h.message; msg != nil {
		h.message = nil
		h.daemon.end(msg)
	}
}
