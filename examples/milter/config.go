package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/mailverdict/mailverdict/examples/internal/dnsflags"
	"github.com/mailverdict/mailverdict/resolver"
)

// defaultsText documents every key. The defaults are read from it, so that they are what it says.
//
//go:embed defaults.toml
var defaultsText string

// A config is the configuration file. Its keys are documented in defaults.toml.
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

	Store         string        `toml:"store"`
	StoreExclude  []string      `toml:"store_exclude"`
	StoreInterval time.Duration `toml:"store_interval"`

	Metrics string `toml:"metrics"`
	Log     string `toml:"log"`

	zone resolver.Resolver // of -zone: answers in place of DNS, or nil
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

// A source is where the configuration comes from: a file, or the defaults where its name is empty, and
// flags that stand in place of its keys.
type source struct {
	file   string
	listen string         // the only address to listen at, if it is not empty
	dns    dnsflags.Flags // who answers DNS questions, if it says so
	json   bool           // log is "json"
}

// read reads the configuration over the defaults.
func (s source) read() (*config, error) {
	var text []byte
	if s.file != "" {
		var err error
		if text, err = readFile(s.file); err != nil {
			return nil, err
		}
	}
	c, err := parseConfig(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	if s.listen != "" {
		c.Listen, c.Listener = []string{s.listen}, nil
		if _, _, err := splitAddress(s.listen); err != nil {
			return nil, fmt.Errorf("-listen: %w", err)
		}
	}
	if s.json {
		c.Log = "json"
	}
	return c, s.askDNS(c)
}

// askDNS has c ask those whom the flags name. Zones are read each time, as the file is.
func (s source) askDNS(c *config) (err error) {
	if err = s.dns.Check(); err != nil {
		return err
	}
	if s.dns.Server != "" {
		c.DNSServers = []string{s.dns.Server}
	}
	if len(s.dns.Zones) > 0 {
		c.zone, err = s.dns.Resolver()
	}
	return err
}

// maxConfig is how many octets a configuration may have. The largest that make sense have some thousands.
const maxConfig = 1 << 20

// readFile reads a file that is not too large, as a device or a log is that was named by mistake.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = fmt.Errorf("%s: larger than 1 MiB: is it a configuration?", name)
	}
	return text, err
}

// parseConfig reads the text of a file over the defaults. The error lists all that is wrong.
func parseConfig(text string) (*config, error) {
	c := defaults()
	meta, err := toml.Decode(text, c)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			text := strings.TrimSpace(syntax.ErrorWithPosition())
			return nil, errors.New(text[:min(len(text), 1000)])
		}
		return nil, wrongType(err)
	}
	var wrong []error
	for _, key := range meta.Undecoded() {
		wrong = append(wrong, unknownKey(key.String()))
	}
	wrong = append(wrong, c.check()...)
	return c, errors.Join(wrong...)
}

// wrongType puts an error about a value of another type than its key has, which names types of Go,
// into the words of TOML. Other errors stay as they are.
func wrongType(err error) error {
	where, types, _ := strings.Cut(err.Error(), ": incompatible types: ")
	_, want, _ := strings.Cut(types, "destination has type ")
	words, ok := map[string]string{
		"slice": `a list, such as ["a", "b"]`, "string": `one text in quotes, such as "a"`,
		"integer": `an integer, or for a time one text in quotes, such as "20s"`, "boolean": "true or false, without quotes",
	}[want]
	if !ok {
		return err
	}
	return fmt.Errorf("%s: want %s", where, words)
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
