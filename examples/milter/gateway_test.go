package main

import (
	"testing"

	"github.com/d--j/go-milter"
)

func TestTheClientBehindAGatewayIsNamedByTheFieldsOfTheGateways(t *testing.T) {
	gateways, err := parseClients([]string{"198.51.100.0/24"}, false)
	if err != nil {
		t.Fatal(err)
	}
	outer := field{"Received", " from mail.bank.test (x [192.0.2.7]) by gate1.example.com with ESMTP; Sun, 29 Nov 2026 06:00:00 +0000"}
	inner := field{"received", " from gate1.example.com (gate1.example.com [198.51.100.1])\n\tby gate2.example.com with ESMTP; Sun, 29 Nov 2026 06:00:00 +0000"}
	filter := field{"Received", " from localhost (localhost [127.0.0.1]) by gate2.example.com with ESMTP; Sun, 29 Nov 2026 06:00:00 +0000"}
	for _, tt := range []struct {
		name   string
		header []field
		want   string
	}{
		{"one gateway", []field{{"X-Spam", " no"}, outer}, "192.0.2.7"},
		{"two gateways", []field{inner, outer}, "192.0.2.7"},
		{"no field of the outer one", []field{inner}, "invalid IP"},
		{"none", []field{{"From", " a@bank.test"}}, "invalid IP"},
		{"a content filter on the gateway is the gateway", []field{filter, outer}, "192.0.2.7"},
		{"a field without a client", []field{{"Received", " by gate1.example.com"}, outer}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if ip, _ := behindGateway(gateways, tt.header); ip.String() != tt.want {
				t.Errorf("%s, want %s", ip, tt.want)
			}
		})
	}
}

func TestAMessageOfAGatewayIsOneOfTheClientBehindIt(t *testing.T) {
	received := func(ip string) string {
		return "Received: from x.test (unknown [" + ip + "]) by gate.example.com with ESMTP; Sun, 29 Nov 2026 06:00:00 +0000"
	}
	for _, tt := range []struct {
		name, config string
		behind       string
		want         milter.ActionType
		changes      int
	}{
		{"a stranger that passes", "", "192.0.2.7", milter.ActionAccept, 1},
		{"a stranger that fails", "", "203.0.113.5", milter.ActionRejectWithCode, 0},
		{"a gateway in a local network is a gateway all the same", `local_clients = ["198.51.100.0/24"]`, "203.0.113.5", milter.ActionRejectWithCode, 0},
		{"a trusted client is trusted behind a gateway", `trusted_clients = ["203.0.113.0/24"]`, "203.0.113.5", milter.ActionAccept, 0},
		{"or marked", `trusted_clients = ["203.0.113.0/24"]` + "\ntrusted = \"mark\"", "203.0.113.5", milter.ActionAccept, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := testDaemon(t, `gateways = ["198.51.100.9"]`+"\nreject = \"always\"\n"+tt.config)
			defer d.drain()
			changes, a := connect(t, d, "198.51.100.9").send("a@bank.test", append([]string{received(tt.behind)}, fromBank...), "u@example.com")
			if a.Type != tt.want || len(changes) != tt.changes {
				t.Errorf("%v, changes %v", a, changes)
			}
		})
	}
}

func TestALongHeaderBehindAGatewayIsNotHeldForever(t *testing.T) {
	d := testDaemon(t, `gateways = ["198.51.100.9"]`)
	defer d.drain()
	m := &message{setup: d.setup.Load(), client: client{}, pending: true, seen: map[string]int{}}
	m.ctx, m.cancel = t.Context(), func() {}
	for range 2 * maxHeld / 1000 {
		m.field(field{"X", string(make([]byte, 1000))})
	}
	if m.pending || m.held != nil {
		t.Error("fields are still held")
	}
	_ = m.session.Close()
}
