package compare

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/dkim"
)

const dkimCases = 5000

// dkimDifferences are the disagreements with go-msgauth v0.7.0 that are meant. "error"
// is an error in place of results.
var dkimDifferences = []difference{
	{"a= in upper case", "pass", "permerror", "RFC 5234, section 2.3: literals of a grammar have no case"},
	{"i= in upper case", "pass", "permerror", "domain names have no case"},
	{"x= before t=", "permerror", "pass", "RFC 6376, section 3.5: x= must be greater than t="},
	{"t= in the future", "permerror", "pass", "RFC 6376, section 3.5: signatures from the future may be ignored"},
	{"l= covers all of the body", "pass", "fail", "all of the body is signed; theirs takes no l= at all"},
	{"l= covers half of the body", "policy", "fail", "the signature is valid, and not acceptable"},
	{"z= with a b= in it", "pass", "fail", "RFC 6376, section 3.7: only the value of the tag b= is left out; theirs removes what looks like it everywhere"},
	{"a broken record beside the key", "pass", "permerror", "RFC 6376, section 6.1.2, lets verifiers try each of several records"},
	{"another key beside the key", "pass", "permerror", "RFC 6376, section 6.1.2, lets verifiers try each of several records"},
	{"v= not first in the key record", "permerror", "pass", "RFC 6376, section 3.6.1: v= must be the first tag"},
	{"t=s in the key record", "permerror", "pass", "RFC 6376, section 3.6.1: the domain of i= must then be that of d="},
	{"a bare LF in the body", "pass", "fail", "octets are taken as they are; theirs makes a CRLF of the LF"},
	{"a bare CR in the body", "pass", "fail", "only CRLF ends a line; theirs takes a CR as the beginning of a line end that is dropped"},
	{"a Subject field added", "policy", "pass", "RFC 6376, section 8.15: readers may be shown the Subject that was added"},
	{"no empty line after the header", anyStatus, "error", "a header without a body is a message: RFC 5322, section 2.1"},
}

func TestDKIMAgreesWithGoMsgauth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 10))
	keys := dkimKeys()
	verifier := &dkim.Verifier{}
	agreed := agreement{differences: dkimDifferences}
	for range dkimCases {
		c, err := newDKIMCase(random, keys, randomTwists(random))
		if err != nil {
			t.Fatal(err)
		}
		verifier.Resolver = c.zone
		ours, ourErr := oursOfDKIM(verifier, c.message)
		peer, peerErr := peerOfDKIM(newPeerDNS(c.zone), c.message)
		if agreed.on(c.peculiarities, ours, peer) {
			continue
		}
		t.Errorf("%q: ours %s (%v), go-msgauth %s (%v)", c.peculiarities, ours, ourErr, peer, peerErr)
		if agreed.open <= 20 {
			t.Logf("%q\nkeys %q", c.message, c.zone[dkimKey].TXT)
		}
	}
	agreed.report(t)
}

// oursOfDKIM returns the status of a message's only signature.
func oursOfDKIM(v *dkim.Verifier, message string) (string, error) {
	results, err := v.Verify(context.Background(), strings.NewReader(message))
	if err != nil || len(results) != 1 {
		return "error", err
	}
	return results[0].Status.String(), results[0].Err
}

func peerOfDKIM(dns *peerDNS, message string) (string, error) {
	results, err := msgauth.VerifyWithOptions(strings.NewReader(message), &msgauth.VerifyOptions{LookupTXT: dns.text})
	if err != nil || len(results) != 1 {
		return "error", errors.Join(errors.New("no result"), err)
	}
	switch err := results[0].Err; {
	case err == nil:
		return "pass", nil
	case msgauth.IsPermFail(err):
		return "permerror", err
	case msgauth.IsTempFail(err):
		return "temperror", err
	default:
		return "fail", err
	}
}
