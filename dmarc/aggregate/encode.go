package aggregate

import (
	"encoding/binary"
	"net/netip"

	"github.com/mailverdict/mailverdict/internal/feedback"
)

// While rows are counted each is a string of octets, which is its key in a map: a third of what a
// Row takes. The strings of a row stand in it one after the other, each after its length. Numbers
// are unsigned varints.

// appendRow appends a row.
func appendRow(b []byte, r *feedback.Row) []byte {
	address := r.Source.As16()
	if r.Source.Is4() {
		b = append(b, 4)
		b = append(b, address[12:]...)
	} else {
		b = append(b, 16)
		b = append(b, address[:]...)
	}
	b = append(b, bit(r.DKIM)|bit(r.SPF)<<1)
	b = appendStrings(b, r.Disposition, r.HeaderFrom, r.EnvelopeFrom)
	b = binary.AppendUvarint(b, uint64(len(r.Reasons)))
	for _, reason := range r.Reasons {
		b = appendStrings(b, reason.Type, reason.Comment)
	}
	b = binary.AppendUvarint(b, uint64(len(r.AuthDKIM)))
	for _, a := range r.AuthDKIM {
		b = appendStrings(b, a.Domain, a.Selector, a.Result)
	}
	return appendStrings(b, r.AuthSPF.Domain, r.AuthSPF.Result)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendStrings(b []byte, list ...string) []byte {
	for _, s := range list {
		s = cut(s)
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// decodeRow reads what appendRow wrote.
func decodeRow(s string) Row {
	d := decoder(s)
	address, _ := netip.AddrFromSlice([]byte(d.take(int(d.take(1)[0]))))
	aligned := d.take(1)[0]
	row := Row{Source: address, DKIM: outcome(aligned&1 != 0), SPF: outcome(aligned&2 != 0)}
	row.Disposition, row.HeaderFrom, row.EnvelopeFrom = d.string(), d.string(), d.string()
	for range d.number() {
		row.Reasons = append(row.Reasons, Reason{Type: d.string(), Comment: d.string()})
	}
	for range d.number() {
		row.AuthDKIM = append(row.AuthDKIM, Auth{Domain: d.string(), Selector: d.string(), Result: d.string()})
	}
	if a := (Auth{Domain: d.string(), Scope: "mfrom", Result: d.string()}); a.Domain != "" {
		row.AuthSPF = []Auth{a}
	}
	return row
}

func outcome(aligned bool) string {
	if aligned {
		return "pass"
	}
	return "fail"
}

// A decoder is what is left to decode.
type decoder string

func (d *decoder) take(n int) string {
	s := string((*d)[:n])
	*d = (*d)[n:]
	return s
}

func (d *decoder) number() int {
	var n uint64
	for shift := 0; ; shift += 7 {
		c := d.take(1)[0]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int(n)
		}
	}
}

func (d *decoder) string() string { return d.take(d.number()) }
