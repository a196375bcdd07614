package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/examples/internal/saved"
)

func TestTheTopmostReceivedFieldWithAClientCounts(t *testing.T) {
	message := "Return-Path: <bounce@example.com>\r\n" +
		"Received: from localhost (localhost [127.0.0.1]) by mx.receiver.example\r\n" +
		"Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx.receiver.example\r\n" +
		"Received: from forged.example (forged.example [198.51.100.1]) by mx.example.com\r\n\r\n"
	fields, _, err := saved.ReadHeader(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	e, from := (&options{}).session(nil, fields)
	if e.IP.String() != "192.0.2.1" || e.HELO != "mx.example.com" || e.MailFrom != "bounce@example.com" || from.IP != "Received field 2" {
		t.Errorf("%+v, %+v", e, from)
	}
	// The name that one host gave says nothing about another.
	other := &options{ip: netip.MustParseAddr("203.0.113.1")}
	if e, _ := other.session(nil, fields); e.HELO != "" {
		t.Errorf("HELO is %q", e.HELO)
	}
}

func TestTheHelpAndTheOutputSayWhichReceivedFieldCounts(t *testing.T) {
	f := verify(t, "Received: from localhost (localhost [127.0.0.1]) by mx.receiver.example\n"+
		"Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx.receiver.example\n"+
		"From: a@forwarded.example\n\nHi\n", "-zone", fixture("forwarded.zone"), "-")
	if !strings.Contains(f.stdout, "client from Received field 2, HELO from Received field 2") {
		t.Errorf("the field is not named:\n%s", f.stdout)
	}
	if !strings.Contains(usage, "Hosts of the receiver's own site") || !strings.Contains(usage, "the sender's own invention") {
		t.Error("the help does not say how far a Received field can be trusted")
	}
}

func TestWhatSPFWouldNeedIsSaid(t *testing.T) {
	for _, tt := range []struct{ header, want string }{
		{"", "names neither its client nor its MAIL FROM"},
		{"Return-Path: <>\n", "no field of the message names its client"},
		{"Received: from a (a [192.0.2.1]) by b with ESMTP\n", "no Return-Path field"},
		{"Return-Path: <>\nReceived: from a (a [192.0.2.1]) by b with ESMTP\n", ""},
	} {
		f := verify(t, tt.header+"From: a@example.com\n\nHi\n", "-brief", "-zone", fixture("forwarded.zone"), "-")
		said := strings.Join(strings.Fields(f.stdout), " ")
		if tt.want == "" && strings.Contains(said, "Doubt:") || !strings.Contains(said, tt.want) {
			t.Errorf("%q:\n%s", tt.header, f.stdout)
		}
	}
}
