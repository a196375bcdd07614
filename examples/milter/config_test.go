package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestTheDefaultsDocumentEveryKey(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[config](), reflect.TypeFor[listenerConfig]()} {
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("toml")
			if !strings.Contains(defaultsText, "\n"+key+" = ") && !strings.Contains(defaultsText, "[["+key+"]]") {
				t.Errorf("%q is not in defaults.toml", key)
			}
		}
	}
}

func TestAnEmptyFileIsAValidConfiguration(t *testing.T) {
	c, err := parseConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Reject != "never" || c.Authenticated != "skip" || c.MarkField == "" || c.DNSTime <= 0 {
		t.Errorf("defaults are missing: %+v", c)
	}
}

func TestWhatIsWrongWithAConfigurationIsSaid(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a mistyped key has a suggestion", `rejct = "never"`, `unknown key "rejct": did you mean "reject"?`},
		{"a key of a listener too", "[[listener]]\nlisten = \"unix:/x\"\nauthserv-id = \"x\"", `did you mean "authserv_id"?`},
		{"a key like no other has none", `zzzzzzzzzz = 1`, `unknown key "zzzzzzzzzz"`},
		{"an unknown word", `reject = "yes"`, `reject = "yes": want one of never, unless-indirect, always`},
		{"no address", `listen = []`, "no address to listen on"},
		{"a strange address", `listen = ["8891"]`, "none of inet:ADDRESS:PORT"},
		{"a relative socket", `listen = ["unix:x"]`, "none of inet:ADDRESS:PORT"},
		{"a mistyped network", `local_clients = ["10.0.0.0/33"]`, "no address, network or name"},
		{"a mistyped address", `trusted_clients = ["10.0.0"]`, "no address, network or name"},
		{"a gateway by name", `gateways = ["gate.example.com"]`, "no address, network or name"},
		{"an address without a local part or domain", `exempt_senders = ["example.com"]`, "none of user@domain"},
		{"a mark that removes From", `mark_field = "from"`, "a field of messages"},
		{"a mark that is no name", `mark_field = "X Y"`, "not the name of a field"},
		{"an authserv-id with a line end", `authserv_id = "x\ny"`, "no host name"},
		{"a longer wait than Postfix's", `dns_time = "5m"`, "Postfix waits 300 seconds"},
		{"a reply with a line end", `reject_text = "x\r\ny"`, "printable ASCII"},
		{"a mode that is none", `socket_mode = "888"`, "no mode"},
		{"a store that is none", `store = "mysql://u:secret@h/d"`, "mysql://u:xxxxx@h/d: neither sqlite:FILE nor postgres"},
		{"broken TOML", `reject = `, "line 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseConfig(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestClientsAndAddressesAreKnownByTheirLists(t *testing.T) {
	recipients, err := parseAddresses([]string{"postmaster@", "@open.example", "one@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"postmaster": true, "PostMaster@Example.com": true, "x@open.example": true, "one@example.com": true,
		"two@example.com": false, "x@notopen.example": false, "": false, "apostmaster@example.com": false,
	} {
		if got := recipients.has(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}
