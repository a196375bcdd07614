package main

import (
	"net/netip"
	"sync"
	"time"
)

// Limits bound what strangers can make this server do. They are by client: an IPv4 address, or an IPv6
// network of 64 bits.
type limits struct {
	life     time.Duration // of an address, from its last message on
	linkLife time.Duration
	messages int // that are kept of a visitor
	octets   int // that the pages of a visitor may take
	size     int64

	visitors, visitorsByClient       int
	links, linksByClient             int
	streams, streamsByClient         int
	connections, connectionsByClient int
	web, webByClient                 int           // HTTP connections
	connectionTime                   time.Duration // of an SMTP connection, in all
	idle                             time.Duration // of an SMTP client between two commands
	guesses                          int           // recipients that do not exist, of a connection
	uploads, uploadsByClient         int           // forms with a message that are being read
	checks, checksByClient           int           // pasted messages, stories and domains at a time

	// By client and hour.
	mails     int // MAIL commands
	questions int // DNS questions of pasted messages
}

// maxQuestions is what one message may cost: see dmarc.Verifier.HELOQuestions.
const maxQuestions = 110

var defaultLimits = limits{
	life: 30 * time.Minute, linkLife: 24 * time.Hour,
	messages: 10, octets: 1 << 20, size: 10 << 20,
	visitors: 500, visitorsByClient: 30,
	links: 200, linksByClient: 20,
	streams: 1000, streamsByClient: 60,
	connections: 200, connectionsByClient: 20,
	web: 2000, webByClient: 100,
	connectionTime: 10 * time.Minute, idle: 2 * time.Minute,
	guesses: 5, uploads: 12, uploadsByClient: 3, checks: 8, checksByClient: 3,
	mails: 300, questions: 3000,
}

// clientOf returns who counts as one client.
func clientOf(ip netip.Addr) netip.Prefix {
	bits := 32
	if ip = ip.Unmap(); ip.Is6() {
		bits = 64
	}
	p, _ := ip.WithZone("").Prefix(bits)
	return p
}

// A quota counts what each client used within an hour.
type quota struct {
	limit int
	now   func() time.Time

	mu    sync.Mutex
	since time.Time
	used  map[netip.Prefix]int
}

func newQuota(limit int) *quota {
	return &quota{limit: limit, now: time.Now, used: map[netip.Prefix]int{}}
}

// maxClients bounds the memory of a quota. When there are more, the hour ends early.
const maxClients = 50_000

// allows reports whether a client may use n more.
func (q *quota) allows(client netip.Prefix, n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.now(); now.Sub(q.since) >= time.Hour || len(q.used) >= maxClients {
		q.since = now
		clear(q.used)
	}
	return q.used[client]+n <= q.limit
}

// use counts what a client has used.
func (q *quota) use(client netip.Prefix, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.used[client] += n
}

// take is allows and use in one.
func (q *quota) take(client netip.Prefix, n int) bool {
	if !q.allows(client, n) {
		return false
	}
	q.use(client, n)
	return true
}

// Slots are places of which each client may have some.
type slots struct {
	all, each int

	mu    sync.Mutex
	taken int
	by    map[netip.Prefix]int
}

func newSlots(all, each int) *slots { return &slots{all: all, each: each, by: map[netip.Prefix]int{}} }

// take takes a place. Free gives it back; it is nil if none is left.
func (s *slots) take(client netip.Prefix) (free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.all || s.by[client] >= s.each {
		return nil
	}
	s.taken++
	s.by[client]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.by[client]--; s.by[client] == 0 {
			delete(s.by, client)
		}
	})
}

// count returns how many places are taken.
func (s *slots) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}
