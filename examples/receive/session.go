package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
)

// client returns who asks: of a request by way of a trusted proxy, the last address that the proxy names.
func (s *server) client(r *http.Request) netip.Prefix {
	p, _ := netip.ParseAddrPort(r.RemoteAddr)
	ip := p.Addr().Unmap()
	for _, proxy := range s.proxies {
		if proxy.Contains(ip) {
			list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			if told, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
				return clientOf(told)
			}
		}
	}
	return clientOf(ip)
}

// newVisitor makes a visitor, or says that there are too many.
func (s *server) newVisitor(w http.ResponseWriter, r *http.Request) *visitor {
	v := s.visitors.add(s.client(r))
	if v == nil {
		w.Header().Set("Retry-After", "600")
		s.problem(w, http.StatusServiceUnavailable, "All addresses are in use. Come again in a few minutes.")
	}
	return v
}

func (s *server) makeSession(w http.ResponseWriter, r *http.Request) {
	if v := s.newVisitor(w, r); v != nil {
		http.Redirect(w, r, v.path(), http.StatusSeeOther)
	}
}

func (s *server) apiSession(w http.ResponseWriter, r *http.Request) {
	v := s.visitors.add(s.client(r))
	w.Header().Set("Content-Type", "application/json")
	if v == nil {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error": "all addresses are in use"}`+"\n")
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"address": v.address(), "events": v.path() + "/events", "page": v.path()})
}

// deleteVisitor deletes all that a visitor has.
func (s *server) deleteVisitor(w http.ResponseWriter, r *http.Request, v *visitor) {
	v.delete()
	v.deleteLinks() // after that, since none can be made any more
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
