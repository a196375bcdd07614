package rollout

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/internal/provider"
)

// A Source is a sender of mail in the domain's name.
type Source struct {
	// Name is that of its flows, or its address where they have none, or Others.
	Name     string `json:"name"`
	Provider string `json:"provider,omitempty"`

	// Class is the one that asks for most: Misaligned, if a part of the mail is. Who forwards, and
	// is no provider, is Forwarded, although most of what he forwards may pass. Else it is
	// Aligned, if anything is.
	Class Class `json:"class"`

	Counts

	Addresses []netip.Addr `json:"addresses"` // at most MaxAddresses, those of the largest flows first
	Hosts     int          `json:"hosts"`     // how many addresses there are
	First     time.Time    `json:"first,omitzero"`
	Last      time.Time    `json:"last,omitzero"`
	Seen      time.Time    `json:"seen,omitzero"` // when the first report came that shows it, where a store knows

	// Fix is what to set up at a known provider, where mail is misaligned.
	Fix *Fix `json:"fix,omitempty"`
}

// Others is the Name of the Source that stands for all senders that are not listed one by one.
const Others = "(others)"

// MaxAddresses is how many addresses a Source lists.
const MaxAddresses = 20

// String returns the source as one line: "SendGrid: misaligned, messages: 120, hosts: 3".
func (s Source) String() string {
	return fmt.Sprintf("%s: %s, messages: %d, hosts: %d", s.Name, s.Class, s.Messages, s.Hosts)
}

// A Fix is what to set up at a provider.
type Fix struct {
	Text    string   `json:"text"` // plain sentences
	Records []Record `json:"records,omitempty"`
	Note    string   `json:"note,omitempty"`
}

// A Record is a DNS record to publish. What only the provider knows stands between "<" and ">".
type Record struct {
	Name  string `json:"name"` // without a dot at the end
	Type  string `json:"type"`
	Value string `json:"value"`
}

// fixFor returns what to set up at a provider so that it sends for a domain: signatures, if there is a
// choice, as they survive forwarding. It returns nil where nothing is known.
func fixFor(id, domain string) *Fix {
	all := provider.All()
	at := slices.IndexFunc(all, func(p provider.Provider) bool { return p.ID == id })
	if at < 0 {
		return nil
	}
	p := &all[at]
	i := slices.IndexFunc(p.Fixes, func(f provider.Fix) bool { return f.Kind == provider.KindBoth || f.Kind == provider.KindDKIM })
	if i < 0 {
		return nil
	}
	filled := p.Fixes[i].For(domain)
	fix := &Fix{Text: filled.Text, Note: filled.Note}
	for _, r := range filled.Records {
		name := domain
		if r.Host != "@" {
			name = r.Host + "." + domain
		}
		fix.Records = append(fix.Records, Record{Name: name, Type: r.Type, Value: r.Value})
	}
	return fix
}

// Sources returns who sends, those with the most messages first. The flows have to be refined.
func Sources(domain string, flows []Flow) []Source {
	byName := make(map[string]*Source)
	hosts := make(map[string]map[netip.Addr]int64)
	for i := range flows {
		f := &flows[i]
		name := f.Sender()
		s := byName[name]
		if s == nil {
			s = &Source{Name: name, Provider: f.Provider, First: f.First, Last: f.Last, Seen: f.Seen}
			byName[name], hosts[name] = s, make(map[netip.Addr]int64)
		}
		s.add(f)
		if f.Source.IsValid() {
			hosts[name][f.Source] = sum(hosts[name][f.Source], f.Messages)
		}
	}
	list := make([]Source, 0, len(byName))
	for name, s := range byName {
		s.Class = s.class()
		s.Hosts += len(hosts[name])
		s.Addresses = largest(hosts[name])
		if s.Class == Misaligned {
			s.Fix = fixFor(s.Provider, domain)
		}
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Source) int { return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Name, b.Name)) })
	return list
}

func (s *Source) add(f *Flow) {
	s.Counts.add(f)
	if f.First.Before(s.First) {
		s.First = f.First
	}
	if f.Last.After(s.Last) {
		s.Last = f.Last
	}
	if f.Seen.Before(s.Seen) {
		s.Seen = f.Seen
	}
	s.Hosts += f.Hosts
}

func (s *Source) class() Class {
	switch {
	case s.Misaligned > 0:
		return Misaligned
	case s.Provider == "" && s.Forwarded > s.Messages/20 && s.Forwarded >= s.Unknown:
		return Forwarded
	case s.Aligned > 0:
		return Aligned
	case s.Unknown > s.Forwarded:
		return Unknown
	case s.Forwarded > 0:
		return Forwarded
	}
	return Unknown
}

func largest(hosts map[netip.Addr]int64) []netip.Addr {
	list := make([]netip.Addr, 0, len(hosts))
	for a := range hosts {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b netip.Addr) int { return cmp.Or(cmp.Compare(hosts[b], hosts[a]), a.Compare(b)) })
	return slices.Clip(list[:min(len(list), MaxAddresses)])
}

// sum adds two counts, which a reporter may have made as large as he likes.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
