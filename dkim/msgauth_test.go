package dkim

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
	"github.com/mailverdict/mailverdict/resolver"
)

// The verifier of go-msgauth has to agree on messages that its signer signed and
// that were changed on the way, outside of the differences that are named here.
func TestAgainstGoMsgauth(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	agreed, differed := 0, map[string]int{}
	for range 400 {
		signed := msgauthSign(t, random)
		for range 10 {
			message := mutate(random, signed)
			theirs := msgauthPasses(message)
			ours := passes(t, message)
			if theirs == ours {
				agreed++
				continue
			}
			reason := knownDifference(message, ours)
			if reason == "" {
				t.Errorf("ours %t, theirs %t:\n%q", ours, theirs, message)
			}
			differed[reason]++
		}
	}
	t.Logf("%d agreed, differences: %v", agreed, differed)
}

// knownDifference names the reason for which one of the two may pass a message and the other
// not, or returns "". ours says that it is we who pass it.
func knownDifference(message string, ours bool) string {
	bare := strings.ContainsAny(strings.ReplaceAll(message, "\r\n", ""), "\r\n")
	switch {
	case ours && !strings.Contains(message, "\r\n\r\n"):
		return "it refuses a header that no empty line ends"
	case ours && unpadded(message):
		return "it refuses base64 without its padding"
	case !ours && bare:
		return "it mends bare CR and LF, and we take octets as they are"
	case !ours && (message[0] == ' ' || message[0] == '\t'):
		return "it reads a first line that begins with white space as a field"
	}
	return ""
}

// unpadded reports whether b= or bh= lacks octets of its padding.
func unpadded(message string) bool {
	for _, f := range header.Parse([]byte(message)).Fields {
		if !f.Is("dkim-signature") {
			continue
		}
		for tag := range tagvalue.All(string(f.Body())) {
			if (tag.Name == "b" || tag.Name == "bh") && len(tagvalue.RemoveSpace(tag.Value))%4 != 0 {
				return true
			}
		}
	}
	return false
}

func msgauthSign(t *testing.T, random *rand.Rand) string {
	bodies := []string{"", "hello\r\n", "a  b\t\r\n\r\n c \r\n\r\n", "no end", randomBody(random)}
	message := "X-A: one\r\nX-a: two\r\n" + testHeader + "\r\n" + bodies[random.IntN(len(bodies))]
	forms := []msgauth.Canonicalization{msgauth.CanonicalizationSimple, msgauth.CanonicalizationRelaxed}
	var out bytes.Buffer
	err := msgauth.Sign(&out, strings.NewReader(message), &msgauth.SignOptions{
		Domain: "example.com", Selector: "s1", Signer: ed(),
		HeaderCanonicalization: forms[random.IntN(2)], BodyCanonicalization: forms[random.IntN(2)],
		HeaderKeys: [][]string{{"From"}, {"from", "to", "subject", "x-a"}, {"From", "X-A", "x-a", "Subject", "Cc"}}[random.IntN(3)],
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// randomBody returns a body of lines that end in CRLF, with white space everywhere.
func randomBody(random *rand.Rand) string {
	pieces := []string{"a", "word ", " ", "  ", "\t", "\r\n", "\r\n\r\n", " \r\n", "The quick brown fox jumps. ", "é ", strings.Repeat("a  b\t", 60)}
	var b strings.Builder
	for range random.IntN(30) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// mutate changes a message as the way does, or as an attacker does.
func mutate(random *rand.Rand, message string) string {
	for range random.IntN(3) {
		at := random.IntN(len(message))
		switch random.IntN(6) {
		case 0: // an octet
			message = message[:at] + string(message[at]^1) + message[at+1:]
		case 1: // white space
			message = message[:at] + []string{" ", "\t", "\r\n "}[random.IntN(3)] + message[at:]
		case 2: // a cut
			message = message[:at] + message[min(len(message), at+1+random.IntN(4)):]
		case 3:
			message = []string{"From: eve@example.com\r\n", "X-A: three\r\n", "Subject : x\r\n", "Cc:\r\n"}[random.IntN(4)] + message
		case 4:
			message += []string{"\r\n", "x", " \r\n", "\r\n\r\n"}[random.IntN(4)]
		case 5: // the case of a letter
			message = message[:at] + strings.ToUpper(message[at:min(len(message), at+3)]) + message[min(len(message), at+3):]
		}
	}
	return message
}

func passes(t *testing.T, message string) bool {
	v := Verifier{Resolver: resolver.Zone{"s1._domainkey.example.com": {TXT: []string{recordOf(ed())}}}, Options: Options{Policy: Policy{AllowAddedFields: true}}}
	results, err := v.Verify(context.Background(), strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return len(results) == 1 && results[0].Status == StatusPass
}

func msgauthPasses(message string) bool {
	results, err := msgauth.VerifyWithOptions(strings.NewReader(message), &msgauth.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			if strings.EqualFold(name, "s1._domainkey.example.com") {
				return []string{recordOf(ed())}, nil
			}
			return nil, msgauthNotFound{}
		},
	})
	return err == nil && len(results) == 1 && results[0].Err == nil
}

type msgauthNotFound struct{}

func (msgauthNotFound) Error() string { return "no such record" }
