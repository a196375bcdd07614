package compare

import (
	"context"
	"fmt"
	"io"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/resolver"
)

func BenchmarkDKIM(b *testing.B) {
	for _, size := range benchSizes {
		for _, relaxed := range []bool{true, false} {
			for _, key := range []string{"rsa", "ed25519"} {
				for _, count := range []int{1, 5} {
					name := fmt.Sprintf("size=%s/c=%s/key=%s/signatures=%d", size.name, canonicalizations[relaxed], key, count)
					b.Run(name, func(b *testing.B) {
						zone := resolver.Zone{}
						s := benchSignature{key, relaxed, count}
						message := s.signMail(b, zone, benchMail(size.size))
						race{message, []contestant{
							dkimOurs(zone, count), dkimPeer(newPeerDNS(zone), count), s.floor(b, message),
						}}.bench(b)
					})
				}
			}
		}
	}
}

func dkimOurs(r resolver.Resolver, passes int) contestant {
	v := &dkim.Verifier{Resolver: r}
	return contestant{"ours", func(message io.Reader) error {
		results, err := v.Verify(context.Background(), message)
		if err != nil || len(results) != passes {
			return fmt.Errorf("%d results, %w", len(results), err)
		}
		for _, r := range results {
			if r.Status != dkim.StatusPass {
				return r.Err
			}
		}
		return nil
	}}
}

func dkimPeer(dns *peerDNS, passes int) contestant {
	options := &msgauth.VerifyOptions{LookupTXT: dns.text}
	return contestant{"go-msgauth", func(message io.Reader) error {
		results, err := msgauth.VerifyWithOptions(message, options)
		if err != nil || len(results) != passes {
			return fmt.Errorf("%d results, %w", len(results), err)
		}
		for _, r := range results {
			if r.Err != nil {
				return r.Err
			}
		}
		return nil
	}}
}
