package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
)

func TestAStreamShowsThatItIsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newServer(&server{domain: demoDomain, authservID: demoDomain}, resolver.Zone{})
		if err != nil {
			t.Fatal(err)
		}
		v := s.visitors.add(netip.MustParsePrefix("192.0.2.1/32"))
		defer v.delete()
		ctx, leave := context.WithCancel(t.Context())
		request := httptest.NewRequest(http.MethodGet, v.path()+"/events", nil).WithContext(ctx)
		answer := httptest.NewRecorder()
		done := make(chan bool)
		go func() {
			s.handler().ServeHTTP(answer, request)
			close(done)
		}()
		time.Sleep(31 * time.Second)
		v.add(1, "step", "<p>one</p>\r\n<p>two</p>")
		synctest.Wait()
		leave()
		<-done
		want := ": \n\n: \n\n: \n\nid: 1.1\nevent: step\ndata: <p>one</p>\ndata: <p>two</p>\n\n"
		if got := answer.Body.String(); got != want {
			t.Errorf("the stream is %q, want %q", got, want)
		}
		if s.streams.count() != 0 {
			t.Error("the stream is still counted")
		}
	})
}

func TestWhoHasSeenWhatIsNotThereYetSeesWhatComes(t *testing.T) {
	r := start(t, nil)
	s := r.session(t)
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	v := r.visitors.find(strings.TrimPrefix(s.Page, "/s/"))
	if list, _, lost := v.after(1_000_000, 0); len(list) > 0 || lost {
		t.Errorf("%d events, lost %v", len(list), lost)
	}
	if err := r.send(t, "me@laptop.example", s.Address, mine); err != nil {
		t.Fatal(err)
	}
	if list := r.stream(t, s.Events, "nonsense", "result"); !strings.HasSuffix(list[0].id, ".1") {
		t.Errorf("from the beginning on, the first event is %s", list[0].id)
	}
}

func TestAStreamEndsWithItsVisitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := newServer(&server{domain: demoDomain, authservID: demoDomain}, resolver.Zone{})
		if err != nil {
			t.Fatal(err)
		}
		v := s.visitors.add(netip.MustParsePrefix("192.0.2.1/32"))
		answer := httptest.NewRecorder()
		began := time.Now()
		s.handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, v.path()+"/events", nil))
		if took := time.Since(began); took != defaultLimits.life || !strings.HasSuffix(answer.Body.String(), "event: gone\ndata: \n\n") {
			t.Errorf("after %v: %q", took, answer.Body)
		}
	})
}
