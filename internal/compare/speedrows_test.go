package compare

import (
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/resolver"
)

// A speedRow is one work, and those who do it in turns.
type speedRow struct {
	name    string        // for the table
	word    string        // for the programs in peers; "" where they do not do it
	zone    resolver.Zone // the DNS of the work
	message []byte        // nil where the work is SPF alone
	ours    contestant
	peer    contestant // in Go
	bare    contestant // its cryptography alone; without a name if there is none
}

// speedRows returns the works of the table. The programs in peers know the envelope.
//
// Ours asks a Cache, as a server does: its addresses are parsed, as those that the others get are.
func speedRows(t testing.TB) []speedRow {
	plain := benchSignature{"rsa", true, 1}
	rows := []speedRow{
		spfRow("SPF, one ip4", "spf-ip4", "direct"),
		spfRow("SPF, four includes side by side, twelve terms each", "spf-beside", "nested"),
		spfRow("SPF, four includes, each in the one before, twelve terms each", "spf-nested", "chained"),
		spfRow("SPF, a, mx and exists with macros", "spf-mixed", "mixed"),
		dkimRow(t, "DKIM, 4 KiB", "dkim-4KiB", plain, textMail(4<<10, false)),
		dkimRow(t, "DKIM, 100 KiB of text", "dkim-100KiB", plain, textMail(100<<10, false)),
		dkimRow(t, "DKIM, 100 KiB of base64, five signatures", "", benchSignature{"rsa", true, 5}, benchMail(100<<10)),
		dkimRow(t, "DKIM, 10 MiB of base64", "dkim-base64", plain, benchMail(10<<20)),
		dkimRow(t, "DKIM, 10 MiB of text, white space to change on four lines of ten", "dkim-10MiB", plain, textMail(10<<20, true)),
	}
	all := pipelineRow(t, wholeWork, "all-4KiB", false, 4<<10)
	alone := all
	alone.name, alone.word = aloneWork, "dkim-of-all"
	alone.ours, alone.peer = dkimOurs(&resolver.Cache{Resolver: all.zone}, 1), dkimPeer(newPeerDNS(all.zone), 1)
	return append(rows, alone, all,
		pipelineRow(t, "SPF, DKIM and DMARC, three signatures, four includes", "", true, 4<<10),
		pipelineRow(t, "SPF, DKIM and DMARC, 10 MiB", "", false, 10<<20))
}

// The works that are held against each other.
const (
	aloneWork = "DKIM of the next message"
	wholeWork = "SPF, DKIM and DMARC, 4 KiB"
)

func spfRow(name, word, record string) speedRow {
	zone := resolver.Zone{}
	spfBenchZones[record](zone, "shop.example")
	return speedRow{name: name, word: word, zone: zone, ours: spfOurs(&resolver.Cache{Resolver: zone}), peer: spfPeer(newPeerDNS(zone))}
}

func dkimRow(t testing.TB, name, word string, s benchSignature, text string) speedRow {
	zone := resolver.Zone{}
	message := s.signMail(t, zone, text)
	return speedRow{
		name: name, word: word, zone: zone, message: message,
		ours: dkimOurs(&resolver.Cache{Resolver: zone}, s.count), peer: dkimPeer(newPeerDNS(zone), s.count), bare: s.floor(t, message),
	}
}

func pipelineRow(t testing.TB, name, word string, busy bool, size int) speedRow {
	d, bare := newDelivery(t, busy, size)
	return speedRow{
		name: name, word: word, zone: d.zone, message: d.message, bare: bare,
		ours: pipelineOf(d, &resolver.Cache{Resolver: d.zone}), peer: pipelineGlued(newPeerDNS(d.zone), d.session),
	}
}

// textMail returns a message of about size octets of text. With changing, four lines of
// ten have white space at their begin or end that relaxed canonicalization changes.
func textMail(size int, changing bool) string {
	random := mathrand.New(mathrand.NewPCG(5, 6))
	ends := []string{"\r\n"}
	if changing {
		ends = []string{"\r\n", " \r\n", "\r\n  ", "\r\n", "\r\n"}
	}
	var b strings.Builder
	b.WriteString(benchHeader)
	for column := 0; b.Len() < size; {
		n := 1 + random.IntN(9)
		for range n {
			b.WriteByte(byte('a' + random.IntN(26)))
		}
		if column += n + 1; column > 65 {
			b.WriteString(ends[random.IntN(len(ends))])
			column = 0
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString("\r\n")
	return b.String()
}
