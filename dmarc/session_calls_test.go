package dmarc_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// fieldByField gives a message to a session as a milter does.
func fieldByField(t *testing.T, s *dmarc.Session, message string) {
	t.Helper()
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	unfolded := strings.NewReplacer("\r\n\t", "\n\t", "\r\n ", "\n ").Replace(header)
	for field := range strings.SplitSeq(unfolded, "\r\n") {
		name, value, _ := strings.Cut(field, ":")
		if err := s.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndHeader(); err != nil {
		t.Fatal(err)
	}
	write(t, s, body)
}

func TestAMessageThatComesFieldByFieldHasTheSameResult(t *testing.T) {
	zone, message := busy(t)
	v := &dmarc.Verifier{Resolver: zone}
	want, err := v.Verify(t.Context(), fromShop, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	s := v.Begin(t.Context(), fromShop)
	defer s.Close()
	fieldByField(t, s, message)
	got, err := s.Finish()
	if err != nil || outcome(got) != outcome(want) || got.DMARC.Status != dmarc.StatusPass || !got.DMARC.DKIMAligned {
		t.Errorf("%v\n%s\nwant\n%s", err, outcome(got), outcome(want))
	}
}

func TestAHeaderComesInOneWay(t *testing.T) {
	v := &dmarc.Verifier{Resolver: shop()}
	for name, calls := range map[string]func(s *dmarc.Session) error{
		"a field after octets": func(s *dmarc.Session) error {
			io.WriteString(s, "From: a@shop.example\r\n")
			return s.WriteField("To", " b@receiver.example")
		},
		"octets after a field": func(s *dmarc.Session) error {
			s.WriteField("From", " a@shop.example")
			_, err := io.WriteString(s, "To: b@receiver.example\r\n")
			return err
		},
		"a field after the header": func(s *dmarc.Session) error {
			s.EndHeader()
			return s.WriteField("From", " a@shop.example")
		},
		"the end of the header after octets": func(s *dmarc.Session) error {
			io.WriteString(s, "From: a@shop.example\r\n")
			return s.EndHeader()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := v.Begin(t.Context(), fromShop)
			defer s.Close()
			if err := calls(s); !errors.Is(err, dmarc.ErrOrder) {
				t.Errorf("error %v, want ErrOrder", err)
			}
			if _, err := io.WriteString(s, "x"); !errors.Is(err, dmarc.ErrOrder) {
				t.Errorf("then writing gives %v, want ErrOrder", err)
			}
			r, err := s.Finish()
			if !errors.Is(err, dmarc.ErrOrder) || r == nil || r.DMARC.Status == dmarc.StatusPass && !r.DMARC.SPFAligned {
				t.Errorf("Finish: %v, %v", r, err)
			}
		})
	}
}

func TestAHeaderBeyondALimitFieldByFieldIsAVerdict(t *testing.T) {
	s := (&dmarc.Verifier{Resolver: shop(), DKIM: dkim.Options{Limits: dkim.Limits{HeaderFields: 2}}}).Begin(t.Context(), fromShop)
	defer s.Close()
	for range 4 {
		if err := s.WriteField("From", " a@shop.example"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndHeader(); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Finish(); err != nil || !errors.Is(r.DMARC.Err, dmarc.ErrHeaderLimit) || r.DMARC.Disposition != dmarc.DispositionReject {
		t.Errorf("%v, %v; want permerror by the limit", r, err)
	}
}

// slowName is a zone in which the questions for some names take long.
func slowName(zone resolver.Zone, delay time.Duration, names ...string) resolver.Zone {
	for _, name := range names {
		records := zone[name]
		records.Fault.Delay = delay
		zone[name] = records
	}
	return zone
}

func TestSPFIsThereBeforeTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := slowName(shop(), time.Second, "shop.example")
		s := (&dmarc.Verifier{Resolver: zone}).Begin(t.Context(), fromShop)
		defer s.Close()

		// The wait is bounded by its own context, and can be begun again.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if mailFrom, helo, err := s.SPF(ctx); !errors.Is(err, context.DeadlineExceeded) || mailFrom != nil || helo != nil {
			t.Errorf("%v, %v, %v; want no results and the error of the context", mailFrom, helo, err)
		}
		start := time.Now()
		mailFrom, helo, err := s.SPF(t.Context())
		if err != nil || mailFrom.Status != spf.StatusPass || helo.Status != spf.StatusPass || helo.Identity != spf.IdentityHELO {
			t.Fatalf("%v, %v, %v", mailFrom, helo, err)
		}
		if waited := time.Since(start); waited != time.Second-10*time.Millisecond {
			t.Errorf("waited %s", waited)
		}

		// Results that are there are given whatever the context says.
		if again, _, err := s.SPF(ctx); again != mailFrom || err != nil {
			t.Errorf("asked again: %v, %v", again, err)
		}
		write(t, s, letter)
		r, err := s.Finish()
		if err != nil || r.SPF != mailFrom || r.HELO != helo {
			t.Errorf("Finish: %v, %v", r, err)
		}
		if after, _, err := s.SPF(ctx); after != mailFrom || err != nil {
			t.Errorf("after Finish: %v, %v", after, err)
		}
	})
}

func TestSPFOfTheNullSenderIsThatOfHELO(t *testing.T) {
	e := fromShop
	e.MailFrom = ""
	s := (&dmarc.Verifier{Resolver: shop()}).Begin(t.Context(), e)
	defer s.Close()
	mailFrom, helo, err := s.SPF(t.Context())
	if err != nil || mailFrom.Domain != "mail.shop.example" || mailFrom.Identity != spf.IdentityMailFrom ||
		helo.Domain != mailFrom.Domain || helo.Identity != spf.IdentityHELO || helo.Status != mailFrom.Status {
		t.Errorf("%v, %v, %v", mailFrom, helo, err)
	}
}

func TestSPFOfAnUnknownSenderIsNone(t *testing.T) {
	e := dmarc.Envelope{IP: fromShop.IP, HELO: "mail.shop.example", MailFromUnknown: true}
	r, err := (&dmarc.Verifier{Resolver: shop()}).Verify(t.Context(), e, strings.NewReader(letter))
	if err != nil || !errors.Is(r.SPF.Err, spf.ErrNoMailFrom) || r.HELO.Status != spf.StatusPass || r.DMARC.Status != dmarc.StatusFail {
		t.Errorf("%v, HELO %v, %v", r, r.HELO, err)
	}
}

func TestSPFEndsWithTheContextOfTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		zone := slowName(shop(), time.Hour, "shop.example")
		s := (&dmarc.Verifier{Resolver: zone}).Begin(ctx, fromShop)
		defer s.Close()
		mailFrom, _, err := s.SPF(t.Context())
		if err != nil || !errors.Is(mailFrom.Err, spf.ErrCanceled) || mailFrom.Domain != "shop.example" {
			t.Errorf("%v, %v; want temperror", mailFrom, err)
		}
	})
}

func TestAGivenSPFResultEndsTheCheckOfMailFromAlone(t *testing.T) {
	given := &spf.Result{Status: spf.StatusPass, Domain: "shop.example"}
	synctest.Test(t, func(t *testing.T) {
		zone := slowName(shop(), 10*time.Second, "shop.example")
		slowName(zone, time.Second, "mail.shop.example")
		s := (&dmarc.Verifier{Resolver: zone}).Begin(t.Context(), fromShop)
		defer s.Close()
		const ofHELO = 2 * time.Second // a record, and the address that it asks for
		start := time.Now()
		s.UseSPF(nil)
		s.UseSPF(given)
		mailFrom, helo, err := s.SPF(t.Context())
		if err != nil || mailFrom != given || helo.Status != spf.StatusPass || time.Since(start) != ofHELO {
			t.Errorf("%v, %v, %v after %s", mailFrom, helo, err, time.Since(start))
		}
		write(t, s, letter)
		r, err := s.Finish()
		if err != nil || r.SPF != given || r.HELO != helo || r.DMARC.Status != dmarc.StatusPass || time.Since(start) != ofHELO {
			t.Errorf("%v, %v after %s", r, err, time.Since(start))
		}
		s.UseSPF(&spf.Result{})
		if again, _, _ := s.SPF(t.Context()); again != given {
			t.Errorf("after Finish another result is taken: %v", again)
		}
	})
}

func TestCloseGivesUpAMessageAtOnce(t *testing.T) {
	zone, message := busy(t)
	synctest.Test(t, func(t *testing.T) {
		for n := range len(message) {
			if n%97 > 0 && n != len(message)-1 {
				continue
			}
			slowName(zone, time.Hour, "shop.example", "mail.shop.example", "_dmarc.shop.example", "s._domainkey.list.example")
			s := (&dmarc.Verifier{Resolver: zone}).Begin(t.Context(), fromShop)
			write(t, s, message[:n])
			start := time.Now()
			err := s.Close()
			synctest.Wait()
			if err != nil || time.Since(start) > 0 {
				t.Errorf("closed after %d octets: %v after %s", n, err, time.Since(start))
			}
			if r, err := s.Finish(); r != nil || !errors.Is(err, dmarc.ErrClosed) {
				t.Errorf("Finish after Close: %v, %v", r, err)
			}
			if _, err := io.WriteString(s, "x"); !errors.Is(err, dmarc.ErrClosed) {
				t.Errorf("Write after Close: %v", err)
			}
			if _, _, err := s.SPF(t.Context()); !errors.Is(err, dmarc.ErrClosed) {
				t.Errorf("SPF after Close: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close after Close: %v", err)
			}
		}
	})
}

func TestCloseAfterFinishChangesNothing(t *testing.T) {
	s := (&dmarc.Verifier{Resolver: shop()}).Begin(t.Context(), fromShop)
	write(t, s, letter)
	r, err := s.Finish()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if again, err := s.Finish(); again != r || err != nil {
		t.Errorf("%v, %v; want the same result", again, err)
	}
	if _, err := io.WriteString(s, "x"); !errors.Is(err, dmarc.ErrClosed) {
		t.Errorf("Write after Finish: %v", err)
	}
	if err := s.WriteField("X", " y"); !errors.Is(err, dmarc.ErrClosed) {
		t.Errorf("WriteField after Finish: %v", err)
	}
	if err := s.EndHeader(); !errors.Is(err, dmarc.ErrClosed) {
		t.Errorf("EndHeader after Finish: %v", err)
	}
}

// stubborn is a resolver that does not return before a while after its context has ended.
type stubborn struct {
	while  time.Duration
	active *atomic.Int32
}

func (r stubborn) Resolve(ctx context.Context, _ resolver.Question) (resolver.Answer, error) {
	r.active.Add(1)
	defer r.active.Add(-1)
	<-ctx.Done()
	time.Sleep(r.while)
	return resolver.Answer{}, ctx.Err()
}

// Whatever ends a session, nothing of it is at work after it.
func TestNothingIsAtWorkAfterTheEnd(t *testing.T) {
	signed := sign(t, resolver.Zone{}, letter, "shop.example")
	for name, end := range map[string]func(ctx context.Context, v *dmarc.Verifier, cancel func()){
		"Close": func(ctx context.Context, v *dmarc.Verifier, _ func()) {
			s := v.Begin(ctx, fromShop)
			write(t, s, signed)
			synctest.Wait()
			s.Close()
		},
		"Finish": func(ctx context.Context, v *dmarc.Verifier, cancel func()) {
			s := v.Begin(ctx, fromShop)
			write(t, s, signed)
			synctest.Wait()
			cancel()
			s.Finish()
		},
		"a reader that panics": func(ctx context.Context, v *dmarc.Verifier, _ func()) {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			v.Verify(ctx, fromShop, io.MultiReader(strings.NewReader(signed), settledReader{}, panickingReader{}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r := stubborn{time.Second, new(atomic.Int32)}
				start := time.Now()
				end(ctx, &dmarc.Verifier{Resolver: r}, cancel)
				if n := r.active.Load(); n != 0 || time.Since(start) != time.Second {
					t.Errorf("%d questions under way after %s, want none after a second", n, time.Since(start))
				}
			})
		})
	}
}

// settledReader is empty, and says so when nothing goes on any more.
type settledReader struct{}

func (settledReader) Read([]byte) (int, error) {
	synctest.Wait()
	return 0, io.EOF
}

// panickingReader panics when it is read from.
type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("defect") }

func TestAGivenSPFResultStopsTheQuestionsForMailFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := stubborn{0, new(atomic.Int32)}
		s := (&dmarc.Verifier{Resolver: r}).Begin(t.Context(), fromShop)
		defer s.Close()
		synctest.Wait()
		before := r.active.Load()
		s.UseSPF(&spf.Result{Status: spf.StatusPass, Domain: "shop.example"})
		synctest.Wait()
		if after := r.active.Load(); before != 2 || after != 1 {
			t.Errorf("%d questions under way before, %d after; want those for MAIL FROM and HELO, and that for HELO", before, after)
		}
	})
}

func TestOptionsAreCopiedAtTheirFirstUse(t *testing.T) {
	v := &dmarc.Verifier{Resolver: shop()}
	stranger := fromShop
	stranger.IP = netip.MustParseAddr("203.0.113.5")
	two := "From: a@shop.example, b@other.example\r\n\r\nhi\r\n"
	first, err := v.Verify(t.Context(), stranger, strings.NewReader(two))
	if err != nil {
		t.Fatal(err)
	}
	v.InvalidAuthor, v.Now = dmarc.InvalidAuthorAccept, func() time.Time { return time.Time{} }
	second, err := v.Verify(t.Context(), stranger, strings.NewReader(two))
	if err != nil || second.DMARC.Disposition != first.DMARC.Disposition || second.Time.IsZero() {
		t.Errorf("%v at %s (%v), want %v", second, second.Time, err, first)
	}
}
