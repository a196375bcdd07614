package stored

import (
	"encoding/json"
	"fmt"
)

// A Summary counts lines.
type Summary struct {
	Messages int            `json:"messages"`          // with a verdict
	Skipped  map[string]int `json:"skipped,omitempty"` // by kind
	DNS      map[string]int `json:"dns"`               // messages, by About.DNS
	Counts
	Domains map[string]*Counts `json:"domains"` // by Author Domain; "" where there is none
}

// Counts are of messages.
type Counts struct {
	Verdicts     map[string]int `json:"verdicts"`
	Dispositions map[string]int `json:"dispositions,omitempty"`

	// KeysChanged are those with a signature whose key is not what it was, by verdict: a fail
	// among them may have been a pass.
	KeysChanged map[string]int `json:"keys_changed,omitempty"`

	// Differences are those with another result than the stored one, by "METHOD STORED NOW".
	Differences map[string]int `json:"differences,omitempty"`
}

// Add counts a line.
func (s *Summary) Add(text []byte) error {
	var l struct {
		Skipped *Reason `json:"skipped"`
		DMARC   struct {
			Verdict, Disposition string
			AuthorDomain         string `json:"author_domain"`
		} `json:"dmarc"`
		Archive About `json:"archive"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("a line of verdicts: %w", err)
	}
	if l.Skipped != nil {
		count(&s.Skipped, l.Skipped.Kind, 1)
		return nil
	}
	s.Messages++
	count(&s.DNS, l.Archive.DNS, 1)
	for _, c := range []*Counts{&s.Counts, s.domain(l.DMARC.AuthorDomain)} {
		count(&c.Verdicts, l.DMARC.Verdict, 1)
		count(&c.Dispositions, l.DMARC.Disposition, 1)
		if len(l.Archive.KeysChanged) > 0 {
			count(&c.KeysChanged, l.DMARC.Verdict, 1)
		}
		for _, d := range l.Archive.Differs {
			count(&c.Differences, d.Method+" "+d.Stored+" "+d.Now, 1)
		}
	}
	return nil
}

// Merge adds another summary.
func (s *Summary) Merge(other *Summary) {
	s.Messages += other.Messages
	merge(&s.Skipped, other.Skipped)
	merge(&s.DNS, other.DNS)
	s.Counts.merge(&other.Counts)
	for domain, c := range other.Domains {
		s.domain(domain).merge(c)
	}
}

func (c *Counts) merge(other *Counts) {
	merge(&c.Verdicts, other.Verdicts)
	merge(&c.Dispositions, other.Dispositions)
	merge(&c.KeysChanged, other.KeysChanged)
	merge(&c.Differences, other.Differences)
}

func (s *Summary) domain(name string) *Counts {
	if s.Domains == nil {
		s.Domains = map[string]*Counts{}
	}
	if s.Domains[name] == nil {
		s.Domains[name] = &Counts{}
	}
	return s.Domains[name]
}

func merge(to *map[string]int, from map[string]int) {
	for key, n := range from {
		count(to, key, n)
	}
}

func count(m *map[string]int, key string, n int) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key] += n
}
