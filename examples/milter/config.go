package main

import (
	_ "embed"
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/mailverdict/mailverdict/examples/internal/database"
)

// defaultsText documents every key. The defaults are read from it, so that they are what it says.
//
//go:embed defaults.toml
var defaultsText string

// A config is the configuration file. Package documentation of its keys is in defaults.toml.
type config struct {
	Listen      []string         `toml:"listen"`
	SocketMode  string           `toml:"socket_mode"`
	SocketGroup string           `toml:"socket_group"`
	AuthservID  string           `toml:"authserv_id"`
	Listener    []listenerConfig `toml:"listener"`

	Reject     string `toml:"reject"`
	RejectText string `toml:"reject_text"`
	TempError  string `toml:"temperror"`
	Failure    string `toml:"failure"`

	Authenticated string `toml:"authenticated"`
	Local         string `toml:"local"`
	Trusted       string `toml:"trusted"`

	LocalClients   []string `toml:"local_clients"`
	TrustedClients []string `toml:"trusted_clients"`
	Gateways       []string `toml:"gateways"`

	ExemptRecipients []string `toml:"exempt_recipients"`
	ExemptSenders    []string `toml:"exempt_senders"`

	MarkField   string `toml:"mark_field"`
	ReceivedSPF bool   `toml:"received_spf"`

	TrustedSealers  []string `toml:"trusted_sealers"`
	KnownForwarders []string `toml:"known_forwarders"`

	Shadow string `toml:"shadow"`

	DNSServers []string      `toml:"dns_servers"`
	DNSTime    time.Duration `toml:"dns_time"`
	DNSCache   int           `toml:"dns_cache"` // MiB

	MaxConnections int           `toml:"max_connections"`
	IdleTimeout    time.Duration `toml:"idle_timeout"`
	DrainTimeout   time.Duration `toml:"drain_timeout"`

	Store        string   `toml:"store"`
	StoreExclude []string `toml:"store_exclude"`

	Metrics string `toml:"metrics"`
	Log     string `toml:"log"`
}

// A listenerConfig is a listener with an authserv-id of its own.
type listenerConfig struct {
	Listen     string `toml:"listen"`
	AuthservID string `toml:"authserv_id"`
}

// defaults returns the configuration of an empty file.
func defaults() *config {
	c := new(config)
	if _, err := toml.Decode(defaultsText, c); err != nil {
		// The text is compiled in, and tests read it.
		return &config{}
	}
	return c
}

// readConfig reads a file over the defaults. An empty name means the defaults.
func readConfig(name string) (*config, error) {
	if name == "" {
		return parseConfig("")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// parseConfig reads the text of a file over the defaults. The error lists all that is wrong.
func parseConfig(text string) (*config, error) {
	c := defaults()
	meta, err := toml.Decode(text, c)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return nil, errors.New(strings.TrimSpace(syntax.ErrorWithPosition()))
		}
		return nil, err
	}
	var wrong []error
	for _, key := range meta.Undecoded() {
		wrong = append(wrong, unknownKey(key.String()))
	}
	wrong = append(wrong, c.check()...)
	return c, errors.Join(wrong...)
}

// check returns all that is wrong with the values of a configuration.
func (c *config) check() (wrong []error) {
	oneOf := func(key, value string, words ...string) {
		for _, w := range words {
			if value == w {
				return
			}
		}
		wrong = append(wrong, fmt.Errorf("%s = %q: want one of %s", key, value, strings.Join(words, ", ")))
	}
	bad := func(key string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", key, err))
		}
	}
	oneOf("reject", c.Reject, "never", "unless-indirect", "always")
	oneOf("temperror", c.TempError, "tempfail", "accept")
	oneOf("failure", c.Failure, "tempfail", "accept")
	oneOf("authenticated", c.Authenticated, "skip", "mark", "enforce")
	oneOf("local", c.Local, "skip", "mark", "enforce")
	oneOf("trusted", c.Trusted, "skip", "mark", "enforce")
	oneOf("log", c.Log, "json", "text")

	if len(c.Listen)+len(c.Listener) == 0 {
		bad("listen", errors.New("no address to listen on"))
	}
	for _, l := range c.listeners("") {
		_, _, err := splitAddress(l.Listen)
		bad("listen", err)
		bad("authserv_id", checkID(l.AuthservID))
	}
	_, err := c.socketMode()
	bad("socket_mode", err)
	for key, list := range map[string][]string{"local_clients": c.LocalClients, "trusted_clients": c.TrustedClients} {
		_, err := parseClients(list, true)
		bad(key, err)
	}
	_, err = parseClients(c.Gateways, false)
	bad("gateways", err)
	for key, list := range map[string][]string{"exempt_recipients": c.ExemptRecipients, "exempt_senders": c.ExemptSenders} {
		_, err := parseAddresses(list)
		bad(key, err)
	}
	if c.MarkField != "" && !isFieldName(c.MarkField) {
		bad("mark_field", fmt.Errorf("%q is not the name of a field", c.MarkField))
	}
	if reserved(c.MarkField) {
		bad("mark_field", fmt.Errorf("%q is a field of messages: fields of that name are removed", c.MarkField))
	}
	if strings.ContainsFunc(c.RejectText, func(r rune) bool { return r < ' ' || r > '~' }) || len(c.RejectText) > 300 {
		bad("reject_text", errors.New("want at most 300 printable ASCII characters"))
	}
	for key, d := range map[string]time.Duration{"dns_time": c.DNSTime, "idle_timeout": c.IdleTimeout, "drain_timeout": c.DrainTimeout} {
		if d <= 0 {
			bad(key, errors.New("want more than no time"))
		}
	}
	if c.DNSTime > 4*time.Minute {
		bad("dns_time", errors.New("want at most 4m: Postfix waits 300 seconds for the end of a message"))
	}
	if c.Store != "" {
		db, _, err := database.Open(c.Store)
		bad("store", err)
		if err == nil {
			_ = db.Close()
		}
	}
	if c.DNSCache < 1 || c.DNSCache > 1<<16 {
		bad("dns_cache", errors.New("want 1 to 65536 MiB"))
	}
	if c.MaxConnections < 1 {
		bad("max_connections", errors.New("want at least 1"))
	}
	return wrong
}

// listeners returns all listeners, those of listen with the default authserv-id, or with host if
// none is configured.
func (c *config) listeners(host string) []listenerConfig {
	id := c.AuthservID
	if id == "" {
		id = host
	}
	var all []listenerConfig
	for _, a := range c.Listen {
		all = append(all, listenerConfig{Listen: a, AuthservID: id})
	}
	for _, l := range c.Listener {
		if l.AuthservID == "" {
			l.AuthservID = id
		}
		all = append(all, l)
	}
	return all
}

func (c *config) socketMode() (os.FileMode, error) {
	mode, err := strconv.ParseUint(c.SocketMode, 8, 9)
	if err != nil {
		return 0, fmt.Errorf("%q is no mode such as \"0660\"", c.SocketMode)
	}
	return os.FileMode(mode), nil
}

// checkID reports what is wrong with an authserv-id. Empty stands for the name of the host.
func checkID(id string) error {
	if strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.' && r != '-' && r != '_'
	}) {
		return fmt.Errorf("%q is no host name", id)
	}
	return nil
}

// isFieldName reports whether name can name a header field: RFC 5322, section 3.6.8.
func isFieldName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

// reserved reports whether messages need fields of this name.
func reserved(name string) bool {
	switch n := textproto.CanonicalMIMEHeaderKey(name); n {
	case "From", "To", "Cc", "Bcc", "Subject", "Date", "Sender", "Reply-To", "Message-Id", "Received",
		"Return-Path", "Dkim-Signature", "Authentication-Results", "Received-Spf":
		return true
	default:
		return strings.HasPrefix(n, "Content-") || strings.HasPrefix(n, "Arc-") || n == "Mime-Version"
	}
}
