package main

import (
	"crypto/rand"
	"encoding/base32"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/examples/receive/show"
)

// Visitors are those who are watching, and the links that they made. All of it is in memory.
type visitors struct {
	limits limits
	domain string
	slots  *slots // for visitors
	shares *slots // for links

	mu     sync.Mutex
	byMail map[string]*visitor // by local part
	byKey  map[string]*visitor
	links  map[string]link
}

// A link is a message that its visitor wants to share.
type link struct {
	view    *show.View
	json    []byte
	visitor *visitor
	end     *time.Timer
	until   time.Time
	free    func()
}

func newVisitors(l limits, domain string) *visitors {
	return &visitors{
		limits: l, domain: domain, slots: newSlots(l.visitors, l.visitorsByClient), shares: newSlots(l.links, l.linksByClient),
		byMail: map[string]*visitor{}, byKey: map[string]*visitor{}, links: map[string]link{},
	}
}

// secret returns a word that nobody can guess, of 80 random bits or more.
func secret(octets int) string {
	b := make([]byte, octets)
	_, _ = rand.Read(b) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// add makes a visitor. It is nil if there are too many.
func (vs *visitors) add(client netip.Prefix) *visitor {
	free := vs.slots.take(client)
	if free == nil {
		return nil
	}
	// Who knows the address, as every server on the way does, does not know the page.
	v := &visitor{all: vs, client: client, mailbox: secret(10), key: secret(20), free: free,
		changed: make(chan struct{}), gone: make(chan struct{})}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.byMail[v.mailbox], vs.byKey[v.key] = v, v
	v.end = time.AfterFunc(vs.limits.life, v.delete)
	v.until = time.Now().Add(vs.limits.life)
	return v
}

// byAddress returns whose address it is, or nil.
func (vs *visitors) byAddress(address string) *visitor {
	local, domain, ok := strings.Cut(strings.ToLower(address), "@")
	if !ok || domain != vs.domain {
		return nil
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.byMail[local]
}

// find returns the visitor with a key, or nil.
func (vs *visitors) find(key string) *visitor {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.byKey[key]
}

// share keeps a message under a word that nobody can guess. It is "" if there are too many, or the
// visitor is gone.
func (vs *visitors) share(v *visitor, view *show.View, json []byte) string {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.byKey[v.key] != v {
		return ""
	}
	free := vs.shares.take(v.client)
	if free == nil {
		return ""
	}
	id := secret(16)
	vs.links[id] = link{
		view: view, json: json, visitor: v, free: free,
		end: time.AfterFunc(vs.limits.linkLife, func() { vs.unshare(id) }), until: time.Now().Add(vs.limits.linkLife),
	}
	return id
}

// shared returns a message that is shared.
func (vs *visitors) shared(id string) (link, bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	l, ok := vs.links[id]
	return l, ok
}

// unshare deletes a link.
func (vs *visitors) unshare(id string) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.drop(id)
}

// drop is unshare with vs.mu held.
func (vs *visitors) drop(id string) {
	if l, ok := vs.links[id]; ok {
		l.end.Stop()
		l.free()
		delete(vs.links, id)
	}
}
