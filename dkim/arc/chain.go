package arc

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"strconv"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// A chain is the chain of one message on its way to a result.
type chain struct {
	verifier  *Verifier
	options   *Options
	message   *message.Message
	questions *ask.Group

	now     time.Time // when the header ended
	result  *Result
	links   []link // of result.Sets
	lookups map[string]*keys.Lookup
}

// A link is one set on its way to a result.
type link struct {
	results, signature, seal *field

	sealHash   [sha256.Size]byte
	headerHash [sha256.Size]byte
	otherHash  [sha256.Size]byte // of the header, in relaxed form, if there is no c=
	bodyHash   *canon.Hash       // nil if there is one hash over the body too many
}

// begin reads the sets, asks for the keys, and sets up the body hashes. A fault that it finds
// is final: nothing is asked.
func (c *chain) begin() {
	c.now = c.options.Now()
	if err := c.collect(); err != nil {
		c.fail(err)
		return
	}
	if err := c.structure(); err != nil {
		c.fail(err)
		return
	}
	c.hash()
	if err := c.askForKeys(); err != nil {
		c.fail(err)
	}
}

func (c *chain) fail(err error) { c.result.Status, c.result.Err = StatusFail, err }

// collect finds the fields of each set: RFC 8617, section 5.2, step 1. There are at most three
// for each instance.
func (c *chain) collect() error {
	fields := c.message.Header().Fields
	var sets []link
	for i := range fields {
		f := &fields[i]
		if !isARC(f) {
			continue
		}
		if len(f.Raw())+len("\r\n") > c.options.FieldOctets {
			return cause.Wrap(ErrLimit, "octets in an ARC field", nil)
		}
		parsed, results := c.parse(i, f)
		switch n := parsed.instance; {
		case n == 0:
			return ErrInstance
		case n > c.options.Sets:
			return cause.Wrap(ErrLimit, "sets", nil)
		case n > len(sets):
			sets = append(sets, make([]link, n-len(sets))...)
		}
		l := &sets[parsed.instance-1]
		part := l.part(f)
		if *part != nil {
			return cause.Wrap(ErrSets, "two fields of one kind with i="+strconv.Itoa(parsed.instance), nil)
		}
		*part = parsed
		if part == &l.results {
			parsed.value = []byte(results)
		}
	}
	for i, l := range sets {
		if l.results == nil || l.signature == nil || l.seal == nil {
			return cause.Wrap(ErrSets, "a field with i="+strconv.Itoa(i+1)+" is missing", nil)
		}
	}
	c.links = sets
	return nil
}

// parse parses an ARC field.
func (c *chain) parse(number int, f *header.Field) (parsed *field, results string) {
	switch {
	case f.Is("arc-seal"):
		return parseSeal(number, string(f.Body())), ""
	case f.Is("arc-message-signature"):
		return parseSignature(number, string(f.Body())), ""
	}
	return parseResults(number, header.Unfold(f.Body()))
}

// part returns the place of a field in its set.
func (l *link) part(f *header.Field) **field {
	switch {
	case f.Is("arc-seal"):
		return &l.seal
	case f.Is("arc-message-signature"):
		return &l.signature
	}
	return &l.results
}

// structure checks what the sets say of the chain: RFC 8617, section 5.2, steps 2 and 3. It
// fills in the sets of the result.
func (c *chain) structure() error {
	c.result.Sets = make([]Set, len(c.links))
	for i, l := range c.links {
		c.result.Sets[i] = Set{
			Instance:              i + 1,
			AuthenticationResults: string(l.results.value),
			Signature:             l.signature.Signature,
			Seal:                  l.seal.Signature,
			CV:                    l.seal.cv,
		}
	}
	if c.links[len(c.links)-1].seal.cv == StatusFail {
		return ErrSealedFail
	}
	for i, l := range c.links {
		for _, f := range []*field{l.seal, l.signature, l.results} {
			if f.err != nil {
				return inSet(i, f.err)
			}
		}
		want := StatusPass
		if i == 0 {
			want = StatusNone
		}
		if l.seal.cv != want {
			return inSet(i, ErrChain)
		}
	}
	return nil
}

// inSet says in which set an error is.
func inSet(i int, err error) error { return &setError{i + 1, err} }

// A setError is an error in one set.
type setError struct {
	instance int
	err      error
}

func (e *setError) Error() string { return "i=" + strconv.Itoa(e.instance) + ": " + e.err.Error() }
func (e *setError) Unwrap() error { return e.err }

// hash makes the hashes that the seals and the message signatures are over, newest first where
// their number is limited.
func (c *chain) hash() {
	var text []byte
	sealed := sha256.New()
	for i := range c.links {
		l := &c.links[i]
		// A seal is over all fields of the sets up to its own: section 5.1.1.
		text = append(c.appendField(text[:0], l.results.number), "\r\n"...)
		text = append(c.appendField(text, l.signature.number), "\r\n"...)
		sealed.Write(text)
		l.sealHash = sumWith(sealed, c.appendWithoutValue(text[:0], l.seal.number))
		sealed.Write(append(c.appendField(text[:0], l.seal.number), "\r\n"...))
	}
	for i := len(c.links) - 1; i >= 0; i-- {
		l := &c.links[i]
		s := l.signature
		selection := c.message.Select(s.names, s.number)
		value := withoutValue(c.field(s.number))
		l.headerHash = c.message.HeaderHash(s.headerForm, selection, s.number, value)
		if s.formUnsaid {
			l.otherHash = c.message.HeaderHash(canon.Relaxed, selection, s.number, value)
		}
		l.bodyHash = c.message.BodyHash(s.bodyForm, s.length)
	}
}

// sumWith returns the hash over what h is over and text.
func sumWith(h hash.Hash, text []byte) (sum [sha256.Size]byte) {
	clone, _ := h.(hash.Cloner).Clone() // of a SHA-256 hash, which never fails
	clone.Write(text)
	clone.Sum(sum[:0])
	return sum
}

func (c *chain) field(number int) *header.Field { return &c.message.Header().Fields[number] }

// appendField appends a field in the form that seals are over.
func (c *chain) appendField(text []byte, number int) []byte {
	return c.message.AppendField(text, canon.Relaxed, number, c.field(number).Body())
}

// appendWithoutValue is appendField for a seal's own field, without the value of b=.
func (c *chain) appendWithoutValue(text []byte, number int) []byte {
	return c.message.AppendField(text, canon.Relaxed, number, withoutValue(c.field(number)))
}

// withoutValue returns the body of a field without the value of b=.
func withoutValue(f *header.Field) []byte {
	body := f.Body()
	start, end, _ := tagvalue.Find(body, "b")
	return append(append(make([]byte, 0, len(body)), body[:start]...), body[end:]...)
}

// askForKeys asks for the keys of all signatures, each name once.
func (c *chain) askForKeys() error {
	c.lookups = make(map[string]*keys.Lookup)
	var names []string
	for i := len(c.links) - 1; i >= 0; i-- {
		for _, f := range []*field{c.links[i].seal, c.links[i].signature} {
			name := f.keyName()
			if c.lookups[name] == nil {
				c.lookups[name] = &keys.Lookup{Name: name}
				names = append(names, name)
			}
		}
	}
	if len(names) > c.options.Keys {
		return cause.Wrap(ErrLimit, "keys", nil)
	}
	for _, name := range names {
		c.questions.Ask(c.lookups[name].Question(), c.lookups[name])
	}
	return nil
}

// finish returns the result. If the message was read to its end, it waits for the keys.
func (c *chain) finish() *Result {
	if c.result.Err != nil {
		return c.result
	}
	if interrupted := c.message.Err(); interrupted != nil {
		c.result.Status, c.result.Err = StatusTempError, cause.Wrap(ErrInterrupted, "", interrupted)
		return c.result
	}
	c.questions.Wait()
	c.verify()
	return c.result
}

// verify verifies the signatures: RFC 8617, section 5.2, steps 4 to 7. The newest message
// signature and every seal decide; of several faults, one that is certain stands before a DNS
// failure, and a newer before an older one.
func (c *chain) verify() {
	newest := len(c.links) - 1
	for i := range c.links {
		l, set := &c.links[i], &c.result.Sets[i]
		set.Seal.take(c.key(l.seal, l.sealHash))
	}
	decisive := []*Signature{c.verifySignature(newest)}
	for i := newest; i >= 0; i-- {
		decisive = append(decisive, &c.result.Sets[i].Seal)
	}
	c.result.Status = StatusPass
	for n, s := range decisive {
		if s.Status == StatusPass || c.result.Status == StatusFail || c.result.Status == s.Status {
			continue
		}
		c.result.Status, c.result.Err = s.Status, inSet(newest-max(n-1, 0), s.Err)
	}
	if c.result.Status == StatusPass {
		c.findOldestPass(newest)
	}
}

// findOldestPass verifies the message signatures below the newest, up to one that is not valid.
func (c *chain) findOldestPass(newest int) {
	for i := newest - 1; i >= 0; i-- {
		if c.verifySignature(i).Status != StatusPass {
			c.result.OldestPass = i + 2
			return
		}
	}
}

// verifySignature verifies the message signature of a set.
func (c *chain) verifySignature(i int) *Signature {
	l, s := &c.links[i], &c.result.Sets[i].Signature
	err := c.checkMessage(l)
	key, keyErr := c.key(l.signature, l.headerHash)
	// Without c= the form is simple (RFC 6376, section 3.5), but some signers sign, and
	// verifiers read, the relaxed form: either shows that the signer signed this.
	if keyErr == ErrSignatureMismatch && l.signature.formUnsaid {
		key, keyErr = c.key(l.signature, l.otherHash)
	}
	if err == nil || keyErr != nil && !errors.Is(keyErr, ErrDNS) {
		err = keyErr
	}
	s.take(key, err)
	return s
}

// checkMessage compares a message signature with the body and the clock.
func (c *chain) checkMessage(l *link) error {
	s := l.signature
	switch {
	case l.bodyHash == nil:
		return cause.Wrap(ErrLimit, "hashes over the body", nil)
	case !s.Time.IsZero() && s.Time.After(c.now.Add(c.options.ClockSkew)):
		return ErrFuture
	case !s.expires.IsZero() && c.now.After(s.expires):
		return ErrExpired
	}
	sum := l.bodyHash.Sum()
	switch {
	case s.length != canon.Whole && s.length > l.bodyHash.Signed(), !bytes.Equal(sum[:], s.bodyHash):
		return ErrBodyHashMismatch
	case l.bodyHash.Unsigned() > 0:
		return ErrBodyUnsigned
	}
	return nil
}

// key verifies a signature with its key.
func (c *chain) key(f *field, sum [sha256.Size]byte) (*keys.Key, error) {
	found := c.verifier.keys.Verify(c.lookups[f.keyName()], keys.Signature{
		Algorithm:  f.Algorithm,
		Domain:     f.Domain,
		AUIDDomain: f.Domain,
		HeaderHash: sum[:],
		Value:      f.value,
	}, keys.Limits{MinRSABits: 1024, MaxRSABits: 8192, RecordOctets: 8 << 10, Records: 10})
	return found.Key, found.Err
}

// take sets what came of a signature.
func (s *Signature) take(key *keys.Key, err error) {
	if key != nil {
		s.KeyBits = key.Bits
	}
	s.Err = err
	switch {
	case err == nil:
		s.Status = StatusPass
	case errors.Is(err, ErrDNS):
		s.Status = StatusTempError
	default:
		s.Status = StatusFail
	}
}
