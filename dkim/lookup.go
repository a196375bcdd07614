package dkim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/seam"
	"github.com/mailverdict/mailverdict/resolver"
)

// A lookup is the question for the keys at one name, asked once a message.
type lookup struct {
	name   string
	answer resolver.Answer
	err    error
}

// lookup finds or adds the question for the keys at a name.
func (w *workspace) lookup(name string) *lookup {
	for i := range w.lookups {
		if w.lookups[i].name == name {
			return &w.lookups[i]
		}
	}
	w.lookups = append(w.lookups, lookup{name: name})
	return &w.lookups[len(w.lookups)-1]
}

// recall takes the answer if nobody has to wait for it.
func (l *lookup) recall(ctx context.Context, r resolver.Resolver) bool {
	var ok bool
	l.answer, ok, l.err = resolver.Recall(seam.Internal{}, ctx, r, l.question())
	return ok
}

func (l *lookup) question() resolver.Question {
	return resolver.Question{Name: l.name, Type: resolver.TypeTXT}
}

// ask asks the question. A resolver that panics has not answered.
func (l *lookup) ask(ctx context.Context, r resolver.Resolver, wait *sync.WaitGroup) {
	defer wait.Done()
	defer func() {
		if p := recover(); p != nil {
			l.err = fmt.Errorf("%w: %v", errResolverPanic, p)
		}
	}()
	l.answer, l.err = r.Resolve(ctx, l.question())
}

// authentic says whether DNSSEC vouches for what came back, absence included.
func (l *lookup) authentic() resolver.Authentic {
	if l.err != nil {
		return resolver.AuthenticOf(l.err)
	}
	return l.answer.Authentic
}

// records returns the key records that are looked at, in an order that does not
// depend on that of the answer, which DNS servers change.
func (l *lookup) records(limits *Limits) (records []string, err error) {
	switch {
	case errors.Is(l.err, resolver.ErrNotFound):
		return nil, cause.Wrap(ErrKeyMissing, "", l.err)
	case l.err != nil && resolver.Temporary(l.err):
		return nil, cause.Wrap(ErrDNS, "", l.err)
	case l.err != nil:
		return nil, cause.Wrap(ErrKeyMissing, "", l.err)
	case len(l.answer.TXT) == 0:
		return nil, ErrKeyMissing
	}
	records = l.answer.TXT
	if len(records) > 1 {
		records = slices.Clone(records)
		slices.Sort(records)
		records = records[:min(len(records), limits.keyRecords())]
	}
	return records, nil
}

// A keyCache remembers parsed keys by the text of their records. The zero keyCache
// is empty and ready.
type keyCache struct {
	mutex sync.Mutex
	keys  map[string]parsedKey
}

type parsedKey struct {
	key Key
	err error
}

const (
	cachedKeys      = 1000
	cachedKeyOctets = 2 << 10 // longer records are parsed each time
)

// parse is parseKey with memory.
func (c *keyCache) parse(record string) (Key, error) {
	if len(record) > cachedKeyOctets {
		return parseKey(record)
	}
	c.mutex.Lock()
	known, ok := c.keys[record]
	c.mutex.Unlock()
	if ok {
		return known.copy()
	}
	known.key, known.err = parseKey(record)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.keys) >= cachedKeys {
		// Which one goes is of no matter: a key costs less than the signature.
		for old := range c.keys {
			delete(c.keys, old)
			break
		}
	}
	if c.keys == nil {
		c.keys = make(map[string]parsedKey)
	}
	c.keys[record] = known
	return known.copy()
}

// copy returns a key whose lists its owner may change.
func (p *parsedKey) copy() (Key, error) {
	key := p.key
	key.Hashes = slices.Clone(key.Hashes)
	key.Services = slices.Clone(key.Services)
	return key, p.err
}
