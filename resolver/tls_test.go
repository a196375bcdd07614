package resolver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// certificate returns one for 127.0.0.1 and dns.example, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"dns.example"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestClientOverTLS(t *testing.T) {
	cert, pool := certificate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	conns := map[string]bool{}
	start(t, &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		conns[w.RemoteAddr().String()] = true
		w.WriteMsg(reply(r, dns.RcodeSuccess, []string{`example.com. 60 TXT "` + strings.Repeat("x", 4000) + `"`}, nil))
	})})
	for _, tt := range []struct {
		name   string
		config *tls.Config
		err    error
	}{
		{"the certificate is for the address", &tls.Config{RootCAs: pool}, nil},
		{"the certificate is for the name", &tls.Config{RootCAs: pool, ServerName: "dns.example"}, nil},
		{"the certificate is for another name", &tls.Config{RootCAs: pool, ServerName: "other.example"}, ErrUnreachable},
		{"the certificate is not trusted", &tls.Config{}, ErrUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			clear(conns)
			mu.Unlock()
			c := &Client{Servers: []string{l.Addr().String()}, TLS: tt.config}
			defer c.CloseIdleConnections()
			for range 3 {
				a, err := c.Resolve(ctx, txt)
				if !errors.Is(err, tt.err) || err == nil && a.Count() != 1 {
					t.Fatalf("%+v, %v; want %v", a, err, tt.err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if tt.err == nil && len(conns) != 1 {
				t.Errorf("3 questions took %d connections, want 1", len(conns))
			}
		})
	}
}

func TestClientOverTLSAsksPort853(t *testing.T) {
	c := &Client{Servers: []string{"192.0.2.53", "::1", "[::1]:5353"}, TLS: &tls.Config{}}
	c.begin()
	if got, want := strings.Join(c.order(), " "), "192.0.2.53:853 [::1]:853 [::1]:5353"; got != want {
		t.Errorf("servers are %s, want %s", got, want)
	}
}
