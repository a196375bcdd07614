package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
)

// code returns the code of an SMTP reply that is an error.
func code(err error) int {
	if reply, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return reply.Code
	}
	return 0
}

func TestAClientHasOnlySoManySMTPConnections(t *testing.T) {
	r := start(t, func(s *server) { s.limits.connectionsByClient = 3 })
	for range 3 {
		defer r.dial(t).Close()
	}
	if greeting := r.greeting(t); !strings.HasPrefix(greeting, "421 4.7.0 Too many connections") {
		t.Errorf("the fourth connection is greeted with %q", greeting)
	}
}

func TestTheServerHasOnlySoManySMTPConnections(t *testing.T) {
	r := start(t, func(s *server) { s.limits.connections = 1 })
	c := r.dial(t)
	if greeting := r.greeting(t); !strings.HasPrefix(greeting, "421 ") {
		t.Errorf("the second connection is greeted with %q", greeting)
	}
	_ = c.Close()
	for !strings.HasPrefix(r.greeting(t), "220 ") { // once the server has seen that the first one is closed
	}
}

// greeting is the first line of the server.
func (r *rig) greeting(t *testing.T) string {
	t.Helper()
	c, err := net.Dial("tcp", r.mail)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestAClientSendsOnlySoManyMessagesAnHour(t *testing.T) {
	r := start(t, func(s *server) { s.limits.mails = 2 })
	s := r.session(t)
	for n := range 3 {
		if got, want := code(r.send(t, "me@laptop.example", s.Address, mine)), map[bool]int{true: 0, false: 450}[n < 2]; got != want {
			t.Errorf("message %d: %d, want %d", n+1, got, want)
		}
	}
}

func TestAnHourLaterAClientMaySendAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, client := newQuota(2), netip.MustParsePrefix("192.0.2.1/32")
		for _, want := range []bool{true, true, false} {
			if got := q.take(client, 1); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		}
		if !q.take(netip.MustParsePrefix("192.0.2.2/32"), 1) {
			t.Error("another client is refused")
		}
		time.Sleep(time.Hour)
		if !q.take(client, 1) {
			t.Error("still refused after an hour")
		}
	})
}

func TestAMessageThatIsTooLargeIsRefused(t *testing.T) {
	r := start(t, func(s *server) { s.limits.size = 100 << 10 })
	s := r.session(t)
	if got := code(r.send(t, "me@laptop.example", s.Address, mine+strings.Repeat("0123456789\r\n", 10<<10))); got != 552 {
		t.Errorf("the reply is %d, want 552", got)
	}
	if _, page := r.get(t, s.Page); !strings.Contains(page, "The message did not come to its end: Maximum message size exceeded.") {
		t.Errorf("the page does not say so:\n%s", page)
	}
	if got := code(r.send(t, "me@laptop.example", s.Address, mine)); got != 0 {
		t.Errorf("the next message is refused: %d", got)
	}
}

func TestAConnectionEndsAfterItsTime(t *testing.T) {
	r := start(t, func(s *server) { s.limits.connectionTime = 300 * time.Millisecond })
	c, err := net.Dial("tcp", r.mail)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	text, _ := io.ReadAll(c)
	if took := time.Since(began); took > 5*time.Second || !strings.Contains(string(text), "421 ") {
		t.Errorf("after %v: %q", took, text)
	}
}

func TestAClientThatSaysNothingIsLeft(t *testing.T) {
	r := start(t, func(s *server) { s.limits.idle = 200 * time.Millisecond })
	s := r.session(t)
	c := r.dial(t)
	defer c.Close()
	if err := errors.Join(c.Mail("me@laptop.example", nil), c.Rcpt(s.Address, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Data(); err != nil {
		t.Fatal(err)
	}
	// Nothing is sent. The address is free for others after that.
	for end := time.Now().Add(10 * time.Second); ; {
		err := r.send(t, "me@laptop.example", s.Address, mine)
		if err == nil {
			return
		}
		if code(err) != 450 || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// A large message on a slow line takes longer than the time in which something has to come.
func TestAClientThatIsSlowIsHeardOut(t *testing.T) {
	r := start(t, func(s *server) { s.limits.idle = 400 * time.Millisecond })
	s := r.session(t)
	c, err := net.Dial("tcp", r.mail)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := bufio.NewReader(c)
	if _, err := io.WriteString(c, "EHLO laptop.example\r\nMAIL FROM:<me@laptop.example>\r\nRCPT TO:<"+s.Address+">\r\nDATA\r\n"+mine); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		time.Sleep(80 * time.Millisecond) // what is tested is time on a real connection
		if _, err := io.WriteString(c, "A line.\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(c, ".\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	replies, _ := io.ReadAll(text)
	if !strings.Contains(string(replies), "250 2.0.0 OK: queued") {
		t.Errorf("%s", replies)
	}
}

func TestAMessageHasOneRecipient(t *testing.T) {
	r := start(t, nil)
	a, b := r.session(t), r.session(t)
	c := r.dial(t)
	defer c.Close()
	if err := errors.Join(c.Mail("me@laptop.example", nil), c.Rcpt(a.Address, nil)); err != nil {
		t.Fatal(err)
	}
	if got := code(c.Rcpt(b.Address, nil)); got != 452 {
		t.Errorf("the reply to the second recipient is %d", got)
	}
}

func TestWhoGuessesRecipientsIsLeft(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	defer c.Close()
	if err := c.Mail("me@laptop.example", nil); err != nil {
		t.Fatal(err)
	}
	var replies []int
	for n := range 1000 {
		err := c.Rcpt(fmt.Sprintf("%016d@%s", n, demoDomain), nil)
		if code(err) == 0 {
			break // the connection is closed
		}
		replies = append(replies, code(err))
	}
	if len(replies) > defaultLimits.guesses+1 || len(replies) < defaultLimits.guesses || replies[0] != 550 || replies[defaultLimits.guesses-1] != 421 {
		t.Errorf("the replies are %v", replies)
	}
}

func TestOneMessageAtATime(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	c := r.dial(t)
	defer c.Close()
	if err := errors.Join(c.Mail("me@laptop.example", nil), c.Rcpt(s.Address, nil)); err != nil {
		t.Fatal(err)
	}
	if got := code(r.send(t, "me@laptop.example", s.Address, mine)); got != 450 {
		t.Errorf("the second message gets %d", got)
	}
	if status, page, _ := r.paste(t, s.Page+"/paste", map[string]string{"message": mine}); status != http.StatusTooManyRequests || !strings.Contains(page, "Another message of yours is under way") {
		t.Errorf("a pasted message gets %d", status)
	}
	if status, page := r.post(t, s.Page+"/stories", map[string][]string{"story": {"bounce"}}); status != http.StatusTooManyRequests || !strings.Contains(page, "Another message of yours is under way") {
		t.Errorf("a story gets %d", status)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Error(err)
	}
}

func TestThereAreOnlySoManyVisitors(t *testing.T) {
	for _, change := range []func(*server){
		func(s *server) { s.limits.visitors = 2 },
		func(s *server) { s.limits.visitorsByClient = 2 },
	} {
		r := start(t, change)
		first := r.session(t)
		r.session(t)
		for _, path := range []string{"/api/session", "/session"} {
			if status, body := r.post(t, path, nil); status != http.StatusServiceUnavailable || !strings.Contains(strings.ToLower(body), "all addresses are in use") {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		r.post(t, first.Page+"/delete", nil)
		r.session(t)
	}
}

func TestOnlyTheLastMessagesAreKept(t *testing.T) {
	r := start(t, func(s *server) { s.limits.messages = 3 })
	s := r.session(t)
	for range 5 {
		if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= 5; n++ {
		want := http.StatusOK
		if n < 3 {
			want = http.StatusNotFound
		}
		if status, _ := r.get(t, s.Page+"/"+strconv.Itoa(n)); status != want {
			t.Errorf("message %d: %d, want %d", n, status, want)
		}
	}
	for _, e := range r.stream(t, s.Events, "", "result") {
		if strings.HasSuffix(e.id, ".1") || strings.HasSuffix(e.id, ".2") {
			t.Errorf("event %s is of a message that is not kept", e.id)
		}
	}
}

func TestWhatAVisitorTakesIsBounded(t *testing.T) {
	r := start(t, func(s *server) { s.limits.octets = 60 << 10 })
	s := r.session(t)
	for range 5 {
		if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
			t.Fatal(err)
		}
	}
	v := r.visitors.find(strings.TrimPrefix(s.Page, "/s/"))
	v.mu.Lock()
	octets, messages := 0, len(v.messages)
	for _, e := range v.events {
		octets += len(e.data)
	}
	for _, m := range v.messages {
		octets += m.weight
	}
	v.mu.Unlock()
	if octets != v.octets || octets > 60<<10 && messages > 1 || messages == 5 {
		t.Errorf("%d octets are held, and %d are counted, of %d messages", octets, v.octets, messages)
	}
	// Who missed what is gone is told to take the page as a whole.
	if events := r.stream(t, s.Events, "1", "reload"); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
	if _, page := r.get(t, s.Page); !strings.Contains(page, "PASS: this message is from laptop.example.") {
		t.Error("the page is not whole")
	}
}

func TestAClientWatchesOnlySoManyPages(t *testing.T) {
	r := start(t, func(s *server) { s.limits.streamsByClient = 2 })
	s := r.session(t)
	for range 2 {
		response, err := http.Get(r.page + s.Events)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
	}
	if status, _ := r.get(t, s.Events); status != http.StatusTooManyRequests {
		t.Errorf("the third stream gets %d", status)
	}
}

func TestAClientHasOnlySoManyHTTPConnections(t *testing.T) {
	r := start(t, func(s *server) { s.limits.webByClient = 2 })
	var open []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.page, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	if _, err := http.Get(r.page); err == nil {
		t.Error("the third connection is served")
	}
	_ = open[0].Close()
}

func TestOnlySoManyPastedMessagesAreChecked(t *testing.T) {
	r := start(t, func(s *server) { s.limits.checksByClient = 1 })
	done := r.checks.take(clientOf(netip.MustParseAddr("127.0.0.1"))) // one is under way
	if status, page, _ := r.paste(t, "/paste", map[string]string{"message": mine}); status != http.StatusTooManyRequests || !strings.Contains(page, "Many messages are being checked") {
		t.Errorf("%d\n%s", status, page)
	}
	if status, _ := r.post(t, "/stories", map[string][]string{"story": {"bounce"}}); status != http.StatusTooManyRequests {
		t.Errorf("a story: %d", status)
	}
	if status, _ := r.post(t, "/domain", map[string][]string{"domain": {"laptop.example"}}); status != http.StatusTooManyRequests {
		t.Errorf("a domain: %d", status)
	}
	done()
	if status, _, _ := r.paste(t, "/paste", map[string]string{"message": mine}); status != http.StatusOK {
		t.Errorf("after that: %d", status)
	}
	if r.visitors.slots.count() != 1 {
		t.Errorf("%d visitors are there, and one message", r.visitors.slots.count())
	}
}

func TestOnlySoManyFormsAreReadAtATime(t *testing.T) {
	r := start(t, func(s *server) { s.limits.uploadsByClient = 1 })
	slow, send := io.Pipe()
	began := make(chan error, 1)
	go func() {
		response, err := http.Post(r.page+"/paste", "multipart/form-data; boundary=x", slow)
		if err == nil {
			err = response.Body.Close()
		}
		began <- err
	}()
	if _, err := io.WriteString(send, "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nFrom: "); err != nil {
		t.Fatal(err)
	}
	for r.uploads.count() == 0 { // until the server reads it
	}
	if status, page, _ := r.paste(t, "/paste", map[string]string{"message": mine}); status != http.StatusTooManyRequests || !strings.Contains(page, "Too many messages are being sent here") {
		t.Errorf("%d\n%s", status, page)
	}
	_ = send.Close()
	if err := <-began; err != nil {
		t.Error(err)
	}
	if status, _, _ := r.paste(t, "/paste", map[string]string{"message": mine}); status != http.StatusOK {
		t.Errorf("after that: %d", status)
	}
}

func TestPastedMessagesHaveABudgetOfDNSQuestions(t *testing.T) {
	r := start(t, func(s *server) { s.limits.questions = maxQuestions })
	_, _, at := r.paste(t, "/paste", map[string]string{"message": mine})
	r.stream(t, at+"/events", "", "result")
	status, page, _ := r.paste(t, "/paste", map[string]string{"message": mine})
	if status != http.StatusTooManyRequests || !strings.Contains(page, "nothing left for this hour") {
		t.Errorf("%d\n%s", status, page)
	}
}

func TestAPastedMessageIsAtMostSoLarge(t *testing.T) {
	r := start(t, func(s *server) { s.limits.size = 100 << 10 })
	status, page, _ := r.paste(t, "/paste", map[string]string{"message": mine + strings.Repeat("0123456789\r\n", 10<<10)})
	if status != http.StatusBadRequest || !strings.Contains(page, "larger than") {
		t.Errorf("%d\n%s", status, page)
	}
}

func TestAnAddressLivesHalfAnHourAfterItsLastMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vs := newVisitors(defaultLimits, demoDomain)
		v := vs.add(netip.MustParsePrefix("192.0.2.1/32"))
		time.Sleep(29 * time.Minute)
		if vs.byAddress(strings.ToUpper(v.address())) != v || vs.find(v.key) != v {
			t.Fatal("it is gone too early")
		}
		if !v.begin(&message{}) {
			t.Fatal("it does not take a message")
		}
		v.done()
		time.Sleep(29 * time.Minute)
		synctest.Wait()
		if vs.find(v.key) != v {
			t.Fatal("a message does not make it live longer")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if vs.byAddress(v.address()) != nil || vs.find(v.key) != nil || vs.slots.count() != 0 || !v.isGone() || v.messages != nil {
			t.Error("it is still there")
		}
		if v.begin(&message{}) {
			t.Error("it takes a message though it is gone")
		}
	})
}

func TestALinkLivesADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := defaultLimits
		l.links = 1
		vs := newVisitors(l, demoDomain)
		v := vs.add(netip.MustParsePrefix("192.0.2.1/32"))
		id := vs.share(v, nil, nil)
		if vs.share(v, nil, nil) != "" {
			t.Error("there are more links than the limit says")
		}
		time.Sleep(23 * time.Hour)
		if _, ok := vs.shared(id); !ok {
			t.Error("it is gone too early")
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if _, ok := vs.shared(id); ok {
			t.Error("it is still there")
		}
		w := vs.add(netip.MustParsePrefix("192.0.2.2/32"))
		id = vs.share(w, nil, nil)
		w.delete()
		if _, ok := vs.shared(id); id == "" || !ok {
			t.Error("it is gone with the address")
		}
		w.deleteLinks()
		if _, ok := vs.shared(id); ok {
			t.Error("it is there though its visitor deleted everything")
		}
		if vs.share(w, nil, nil) != "" {
			t.Error("who is gone makes a link")
		}
	})
}

func TestAClientHasOnlySoManyLinks(t *testing.T) {
	l := defaultLimits
	l.links, l.linksByClient = 3, 2
	vs := newVisitors(l, demoDomain)
	a, b := vs.add(netip.MustParsePrefix("192.0.2.1/32")), vs.add(netip.MustParsePrefix("192.0.2.2/32"))
	first := vs.share(a, nil, nil)
	if first == "" || vs.share(a, nil, nil) == "" || vs.share(a, nil, nil) != "" {
		t.Error("a client has another number of links than the limit says")
	}
	if vs.share(b, nil, nil) == "" {
		t.Error("one client takes the links of another")
	}
	vs.unshare(first)
	vs.unshare(first)
	if vs.share(a, nil, nil) == "" || vs.share(a, nil, nil) != "" {
		t.Error("a link that is deleted makes room for another number than one")
	}
}

func TestAddressesCannotBeGuessed(t *testing.T) {
	vs := newVisitors(defaultLimits, demoDomain)
	seen := map[string]bool{}
	for range 30 {
		v := vs.add(netip.MustParsePrefix("192.0.2.1/32"))
		// Base32 has 5 bits in a letter.
		if 5*len(v.mailbox) < 80 || 5*len(v.key) < 160 || seen[v.mailbox] || seen[v.key] || strings.Contains(v.path(), v.mailbox) {
			t.Errorf("%s, %s", v.address(), v.path())
		}
		seen[v.mailbox], seen[v.key] = true, true
	}
}

func TestClientsAreTheirNetworksInIPv6(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := clientOf(netip.MustParseAddr(text)).String(); got != want {
			t.Errorf("%s counts as %s, want %s", text, got, want)
		}
	}
}

func TestOnlyATrustedProxyNamesTheClient(t *testing.T) {
	s := &server{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, tt := range []struct{ from, told, want string }{
		{"10.1.2.3:4", "198.51.100.1, 192.0.2.7", "192.0.2.7/32"},
		{"10.1.2.3:4", "", "10.1.2.3/32"},
		{"10.1.2.3:4", "nonsense", "10.1.2.3/32"},
		{"203.0.113.9:4", "192.0.2.7", "203.0.113.9/32"},
	} {
		r := &http.Request{RemoteAddr: tt.from, Header: http.Header{"X-Forwarded-For": {tt.told}}}
		if got := s.client(r).String(); got != tt.want {
			t.Errorf("%s with %q is %s, want %s", tt.from, tt.told, got, tt.want)
		}
	}
}
