package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTheDefaultsDocumentEveryKey(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[config](), reflect.TypeFor[listenerConfig]()} {
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("toml")
			if !typ.Field(i).IsExported() {
				continue // what flags say
			}
			if !strings.Contains(defaultsText, "\n"+key+" = ") && !strings.Contains(defaultsText, "[["+key+"]]") {
				t.Errorf("%q is not in defaults.toml", key)
			}
		}
	}
}

func TestEachDefaultHasACommentAbove(t *testing.T) {
	above := ""
	for line := range strings.Lines(defaultsText) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, " = ") && !strings.HasPrefix(above, "# ") {
			t.Errorf("no comment above %s", line)
		}
		above = line
	}
}

func TestTheProgramSaysWhatIsWrongByItsExitStatus(t *testing.T) {
	file := filepath.Join(t.TempDir(), "milter.toml")
	for _, tt := range []struct {
		name, text string
		args       []string
		status     int
		out, err   string
	}{
		{"a good file", "reject = \"always\"", []string{"-check", "-config", file}, 0, "ok\n", ""},
		{"a doubtful one", "listen = [\"inet:0.0.0.0:1\"]", []string{"-check", "-config", file}, 0, "warning: listen", ""},
		{"a wrong one", "reject = 1", []string{"-check", "-config", file}, 2, "", file},
		{"none", "", []string{"-check", "-config", file + "x"}, 2, "", "no such file"},
		{"a wrong address", "", []string{"-check", "-listen", "8891"}, 2, "", "-listen"},
		{"a word too much", "", []string{"-check", "milter.toml"}, 2, "", "milter.toml"},
		{"no flag", "", []string{"-chek"}, 2, "", "-chek"},
		{"help", "", []string{"-h"}, 0, "-print-defaults", ""},
		{"the defaults", "", []string{"-print-defaults"}, 0, defaultsText, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, err strings.Builder
			if got := run(tt.args, &out, &err); got != tt.status || !strings.Contains(out.String(), tt.out) || !strings.Contains(err.String(), tt.err) {
				t.Errorf("status %d\n%s\n%s", got, &out, &err)
			}
		})
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
		{"a name server by name", `dns_servers = ["ns.example.com"]`, "no address such as 127.0.0.1"},
		{"a port of metrics that is none", `metrics = "127.0.0.1:http"`, "no address such as 127.0.0.1:9101"},
		{"a sealer that is no domain", `trusted_sealers = ["a@b.example"]`, "none of example.com"},
		{"a sealer without its authserv-id", `trusted_sealers = ["b.example="]`, "none of example.com"},
		{"a forwarder that is none", `known_forwarders = ["192.0.2"]`, "no address, network or name"},
		{"an exclusion that is none", `store_exclude = ["@example.com"]`, "neither a domain nor an address"},
		{"a shadow that is no name", `shadow = "mx example"`, "no host name"},
		{"one address twice", `listen = ["inet:[::1]:1", "inet:[::1]:1"]`, "stands there twice"},
		{"a port that is none", `listen = ["inet:127.0.0.1:mail"]`, "none of inet:ADDRESS:PORT"},
		{"a path that is too long", `listen = ["unix:/` + strings.Repeat("x", 120) + `"]`, "at most 107 octets"},
		{"a value of another kind", `dns_cache = "16"`, "dns_cache"},
		{"a key twice", "reject = \"never\"\nreject = \"always\"", "reject"},
		{"a text where a list has to be", `listen = "inet:127.0.0.1:8891"`, `line 1 (last key "listen"): want a list, such as ["a", "b"]`},
		{"a list where a text has to be", "[[listener]]\nlisten = [\"unix:/x\"]", `line 2 (last key "listener.listen"): want one text in quotes`},
		{"a time without a unit", `dns_time = 20`, `dns_time: want at least 1ms, in quotes and with its unit, such as "20s"`},
		{"a table that is none", "[listen]\nx = 1", "listen"},
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

func TestAllThatIsWrongIsSaidInTheOrderOfTheKeys(t *testing.T) {
	_, err := parseConfig("reject = \"x\"\ndns_time = \"0s\"\ngateways = [\"x\"]\nlocal_clients = [\"1.2.3\"]\nbogus = 1")
	var keys []string
	for line := range strings.Lines(err.Error()) {
		keys = append(keys, strings.FieldsFunc(line, func(r rune) bool { return r == ':' || r == '=' })[0])
	}
	if got := strings.Join(keys, ","); got != `unknown key "bogus",reject ,local_clients,gateways,dns_time` && got != "unknown key \"bogus\"\n,reject ,local_clients,gateways,dns_time" {
		t.Errorf("%q", got)
	}
}

func TestTheAddressesOfOpendkimAreReadToo(t *testing.T) {
	for text, want := range map[string]string{
		"inet:8891@localhost": "tcp localhost:8891", "inet:8891@[::1]": "tcp [::1]:8891", "local:/run/m.sock": "unix /run/m.sock",
		"inet:127.0.0.1:8891": "tcp 127.0.0.1:8891", "unix:/run/m.sock": "unix /run/m.sock", "systemd": "systemd ",
	} {
		if network, address, err := splitAddress(text); err != nil || network+" "+address != want {
			t.Errorf("%s: %q %q, %v", text, network, address, err)
		}
	}
}

func TestWhatOftenIsAMistakeIsAWarning(t *testing.T) {
	for text, want := range map[string]string{
		`listen = ["inet:0.0.0.0:8891"]`:    "can be reached by others",
		`socket_group = "no-such-group"`:    `this host has no group "no-such-group"`,
		`trusted_clients = ["0.0.0.0/0"]`:   "is everybody",
		`store = "sqlite:x.db"`:             "store_exclude is empty",
		`listen = ["inet:127.0.0.1:8891"]`:  "",
		`listen = ["inet:8891@localhost"]`:  "",
		`store_exclude = ["a@example.com"]`: "",
	} {
		c, err := parseConfig(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.warnings(), "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestAFileThatIsNoConfigurationIsAnError(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"nested": "listen = " + strings.Repeat("[", 4_000), "long": strings.Repeat("#", maxConfig+1), "octets": "\x00\xff\xfe\x01",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (source{file: file}).read(); err == nil || !strings.Contains(err.Error(), file) || len(err.Error()) > 2000 {
			t.Errorf("%s: %.300v", name, err)
		}
	}
	for _, file := range []string{dir, "/dev/zero", filepath.Join(dir, "absent")} {
		if _, err := (source{file: file}).read(); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestClientsAreKnownByAddressAndName(t *testing.T) {
	s, err := parseClients([]string{"192.0.2.0/24", "2001:db8::1", "::ffff:203.0.113.5", "mx.example.net", ".example.org"}, true)
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string]bool{
		"192.0.2.7": true, "192.0.3.7": false, "2001:db8::1": true, "2001:db8::2": false, "203.0.113.5": true,
		"198.51.100.1 mx.example.net": true, "198.51.100.1 MX.Example.NET.": true, "198.51.100.1 a.mx.example.net": false,
		"198.51.100.1 a.example.org": true, "198.51.100.1 example.org": false, "198.51.100.1 notexample.org": false, "198.51.100.1 ": false,
	} {
		address, name, _ := strings.Cut(client, " ")
		if got := s.has(netip.MustParseAddr(address), name); got != want {
			t.Errorf("%q: %v, want %v", client, got, want)
		}
	}
	if s.has(netip.Addr{}, "") {
		t.Error("an unknown client is one of the set")
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
