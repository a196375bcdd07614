// Package kept remembers what texts were parsed to: the records of busy senders come
// back with every message, and parsing them costs more than finding them again.
//
//	var records kept.Map[*Record]
//	r := records.Get(text, parse)
package kept

import (
	"strings"
	"sync"
)

// What a Map keeps at most, since strangers write the texts: values of 1000 texts of up to
// 2 KiB each.
const (
	maxTexts  = 1000
	maxOctets = 2 << 10
)

// A Map keeps values by the text that they were parsed from. The zero Map is empty and
// ready. It is safe for concurrent use and must not be copied after first use.
type Map[V any] struct {
	mu     sync.RWMutex
	values map[string]V
}

// Get returns the value of a text: the one that is kept, or else what parse returns, which
// is kept from then on. Values are shared and must not be changed. Parse must depend on the
// text alone.
func (m *Map[V]) Get(text string, parse func(text string) V) V {
	if len(text) > maxOctets {
		return parse(text)
	}
	m.mu.RLock()
	v, ok := m.values[text]
	m.mu.RUnlock()
	if ok {
		return v
	}
	text = strings.Clone(text) // it may be part of something larger
	v = parse(text)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.values) >= maxTexts {
		// Any one may go: the busy ones are back with the next message.
		for old := range m.values {
			delete(m.values, old)
			break
		}
	}
	if m.values == nil {
		m.values = make(map[string]V)
	}
	m.values[text] = v
	return v
}
