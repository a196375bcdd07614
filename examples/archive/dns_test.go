package main

import (
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/time/rate"

	"github.com/mailverdict/mailverdict/examples/archive/internal/generated"
	"github.com/mailverdict/mailverdict/resolver"
)

// serve answers DNS questions on loopback from the zone of generated messages. Those for which fails
// says so are SERVFAIL.
func serve(t *testing.T, dir string, fails func(name string) bool) (address string) {
	t.Helper()
	zones := &worker{files: &files{}}
	f, err := zones.files.Open(t.Context(), filepath.Join(dir, generated.Zone))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zone, err := resolver.ParseZone(f, "zone")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		name := strings.ToLower(strings.TrimSuffix(q.Question[0].Name, "."))
		records, known := zone[name]
		switch {
		case fails(name):
			r.Rcode = dns.RcodeServerFailure
		case !known:
			r.Rcode = dns.RcodeNameError
		case q.Question[0].Qtype == dns.TypeTXT:
			for _, text := range records.TXT {
				r.Answer = append(r.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 300}, Txt: split(text)})
			}
		}
		w.WriteMsg(r)
	})}
	go server.ActivateAndServe()
	<-started
	t.Cleanup(func() { server.Shutdown() })
	return conn.LocalAddr().String()
}

func split(text string) (parts []string) {
	for len(text) > 255 {
		parts, text = append(parts, text[:255]), text[255:]
	}
	return append(parts, text)
}

func TestWhatDNSLeftOpenIsAskedAgainInASecondPass(t *testing.T) {
	in, verdicts := generate(t, 200)
	want, out := t.TempDir(), t.TempDir()
	var failed atomic.Int64
	// DNS fails for one domain until all shards are written, which is the first pass.
	address := serve(t, in, func(name string) bool {
		written, err := filepath.Glob(filepath.Join(out, "summary-*"))
		fails := err == nil && len(written) < 4 && name == "_dmarc.sender07.example"
		if fails {
			failed.Add(1)
		}
		return fails
	})
	if f := archive(t, "-in", in, "-dns", address, "-questions", "0", "-shards", "4", "-out", out); f.code != exitOK || !strings.Contains(f.stdout, "DNS 200 now") {
		t.Fatalf("%+v", f)
	}
	checkResults(t, out, 200, verdicts)
	if files := results(t, out); failed.Load() == 0 || !strings.Contains(strings.Join([]string{files["summary-00000-of-00004.json"], files["summary-00001-of-00004.json"],
		files["summary-00002-of-00004.json"], files["summary-00003-of-00004.json"]}, ""), `"pass": 2`) {
		t.Errorf("there was no second pass (%d questions failed)", failed.Load())
	}
	if f := archive(t, "-in", in, "-dns", address, "-shards", "4", "-out", want); f.code != exitOK {
		t.Fatalf("%+v", f)
	}
	a, b := results(t, out), results(t, want)
	for name := range a {
		if strings.HasPrefix(name, "verdicts-") && a[name] != b[name] {
			t.Errorf("%s is not the same as if DNS had answered at once", name)
		}
	}
}

func TestWhatDNSNeverAnswersIsTemperror(t *testing.T) {
	in, _ := generate(t, 100)
	out := t.TempDir()
	address := serve(t, in, func(name string) bool { return name == "_dmarc.sender03.example" })
	f := archive(t, "-in", in, "-dns", address, "-out", out)
	if f.code != exitOK || !strings.Contains(f.stdout, "temperror") || !strings.Contains(results(t, out)["summary.json"], `"temperror": 5`) {
		t.Errorf("%+v\n%s", f, results(t, out)["summary.json"])
	}
}

func TestTheQuestionsASecondAreDividedAmongWorkers(t *testing.T) {
	job := Job{Questions: 20, Workers: 2}
	synctest.Test(t, func(t *testing.T) {
		share := &paced{resolver.Zone{"a.example": {TXT: []string{"x"}}}, job.limiter()}
		start := time.Now()
		for range 100 {
			if _, err := share.Resolve(t.Context(), resolver.Question{Name: "a.example", Type: resolver.TypeTXT}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 8*time.Second || took > 10*time.Second {
			t.Errorf("100 questions at 10 a second took %v", took)
		}
	})
}

func TestAQuestionWhoseTurnComesTooLateIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paced{resolver.Zone{}, rate.NewLimiter(0, 0)}
		if _, err := p.Resolve(t.Context(), resolver.Question{Name: "a.example", Type: resolver.TypeTXT}); !resolver.Temporary(err) {
			t.Errorf("%v", err)
		}
	})
}
