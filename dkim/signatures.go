package dkim

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/mailverdict/mailverdict/internal/ask"
	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/cause"
	"github.com/mailverdict/mailverdict/internal/domain"
	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/internal/keys"
	"github.com/mailverdict/mailverdict/internal/message"
	"github.com/mailverdict/mailverdict/internal/tagvalue"
)

// signatures are the DKIM-Signature fields of one message on their way to results: a
// check that is attached to the message.
type signatures struct {
	verifier  *Verifier
	message   *message.Message
	questions *ask.Group

	now        time.Time // when the header ended
	checks     []*check
	lookups    []keys.Lookup // one for each name that has keys
	unreported int           // fields that have no result of their own: Limits.Results

	// Memory of the checks and lookups of most messages.
	listRoom   [4]*check
	checkRoom  [2]check
	lookupRoom [2]keys.Lookup
}

// A check is one signature on its way to a result.
type check struct {
	*lasting

	field                int // its number in the header
	valueStart, valueEnd int // where in its body the value of b= is

	headerHash [sha256.Size]byte
	bodyHash   *canon.Hash
	lookup     *keys.Lookup
	keyName    string
	added      string // the name of a field that was added: see ErrFieldAdded
}

// lasting is what outlives a check: its result and what that refers to, in one piece of memory.
// The rooms are enough for nearly every signature.
type lasting struct {
	result    Result
	signature Signature
	key       Key

	valueRoom    [256]byte
	bodyHashRoom [sha256.Size]byte
	sumRoom      [sha256.Size]byte
	queryRoom    [1]string
	resultsRoom  [1]*Result
}

// refuse gives the check a result that is not a pass. If that is before askForKeys, no key is
// asked for.
func (c *check) refuse(status Status, err error) {
	c.result.Status, c.result.Err = status, err
}

// attach attaches the check of v to a message.
func (s *signatures) attach(v *Verifier, m *message.Message, questions *ask.Group) {
	s.verifier, s.message, s.questions = v, m, questions
	s.checks = s.listRoom[:0]
	m.Attach(s)
}

// HeaderEnded reads the signatures, sets up the body hashes, and asks for the keys.
func (s *signatures) HeaderEnded(m *message.Message) {
	options := s.verifier.used()
	s.now = options.Now()
	fields := m.Header().Fields
	s.read(fields, &options.Limits)
	if len(s.checks) == 0 {
		return
	}
	s.choose(fields, &options.Limits)
	s.hashHeader()
	s.assignBodyHashes(fields)
	s.askForKeys()
}

// read parses the DKIM-Signature fields, topmost first. Checks of signatures that are
// worth a key have no Err.
func (s *signatures) read(fields []header.Field, limits *Limits) {
	for i := range fields {
		if fields[i].Is("dkim-signature") {
			body := fields[i].Body()
			start, end, _ := tagvalue.Find(body, "b")
			c := s.newCheck()
			c.field, c.valueStart, c.valueEnd = i, start, end
			c.read(string(s.message.Without(i, start, end)), body[start:end], limits)
		}
	}
}

// newCheck returns a check that is the last one of s.
func (s *signatures) newCheck() *check {
	var c *check
	if n := len(s.checks); n < len(s.checkRoom) {
		c = &s.checkRoom[n]
	} else {
		c = new(check)
	}
	c.lasting = new(lasting)
	s.checks = append(s.checks, c)
	return c
}

// read parses the body of the field, without the value of b=, and that value.
func (c *check) read(text string, value []byte, limits *Limits) {
	s := &c.signature
	s.Value, s.BodyHash, s.Query = c.valueRoom[:0], c.bodyHashRoom[:0], c.queryRoom[:0]
	err := parseSignature(text, value, limits, s)
	c.result.Domain, c.result.Selector, c.result.Algorithm = s.Domain, s.Selector, s.Algorithm
	c.setNames()
	if long := domain.Check(c.keyName); long != nil && err == nil {
		err = cause.Wrap(ErrTagMalformed, "s= and d= together", long)
	}
	if readable(err) {
		c.result.Signature = s
	}
	if err != nil {
		c.refuse(StatusPermError, err)
	}
}

// setNames sets the DNS name of the key, and the AUID where there is no i=, both in one
// piece of memory.
func (c *check) setNames() {
	s := &c.signature
	if s.Domain == "" || s.Selector == "" {
		return
	}
	names := s.Selector + "._domainkey." + s.Domain + "@" + s.Domain
	at := len(names) - len(s.Domain) - 1
	c.keyName = names[:at]
	if s.AUID == "" {
		s.AUID = names[at:]
	}
}

// readable reports whether a field with this fault could be read as a list of tags.
func readable(err error) bool {
	return !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDuplicateTag) && !errors.Is(err, ErrLimit)
}

// choose refuses signatures beyond Limits.Signatures, and drops refused ones beyond
// Limits.Results.
func (s *signatures) choose(fields []header.Field, limits *Limits) {
	sound := 0
	for _, c := range s.checks {
		if c.result.Err == nil {
			sound++
		}
	}
	if sound > limits.Signatures {
		refuseOthers(s.checks, authorDomains(fields), limits.Signatures)
	}
	if all := len(s.checks); all > limits.Results {
		s.checks = slices.DeleteFunc(s.checks, func(c *check) bool { return c.result.Err != nil })
		s.unreported = all - len(s.checks)
	}
}

// hashHeader finds the fields that each signature is over, and hashes them.
func (s *signatures) hashHeader() {
	names := namesOf(s.message.Header().Fields)
	for _, c := range s.checks {
		if c.result.Err != nil {
			continue
		}
		selection := s.message.Select(c.signature.Header, c.field)
		body := s.message.Without(c.field, c.valueStart, c.valueEnd)
		c.headerHash = s.message.HeaderHash(c.signature.HeaderCanonicalization.form(), selection, c.field, body)
		c.cover(s.message, selection, names)
	}
}

// assignBodyHashes finds or adds the body hash that each signature is over, as far as
// Limits.BodyHashes allows. Hashes over the whole body come first, since there are two
// kinds only; of the others those of signatures that could align: junk on top of a
// message must not push out the good signature.
func (s *signatures) assignBodyHashes(fields []header.Field) {
	var authors []string
	if slices.ContainsFunc(s.checks, func(c *check) bool { return c.signature.BodyLength != nil }) {
		authors = authorDomains(fields)
	}
	for turn := range 3 {
		for _, c := range s.checks {
			if c.result.Err != nil || c.hashTurn(authors) != turn {
				continue
			}
			length := int64(canon.Whole)
			if l := c.signature.BodyLength; l != nil {
				length = *l
			}
			c.bodyHash = s.message.BodyHash(c.signature.BodyCanonicalization.form(), length)
			if c.bodyHash == nil {
				c.refuse(StatusPolicy, cause.Wrap(ErrLimit, "hashes over the body", nil))
			}
		}
	}
}

// hashTurn says in which turn a signature gets its body hash.
func (c *check) hashTurn(authors []string) int {
	switch {
	case c.signature.BodyLength == nil:
		return 0
	case couldAlign(c.signature.Domain, authors):
		return 1
	}
	return 2
}

// askForKeys asks for the keys of all signatures, each name once.
func (s *signatures) askForKeys() {
	s.lookups = s.lookupRoom[:0]
	if len(s.checks) > len(s.lookupRoom) {
		// Checks refer to the lookups, so that their slice must not move.
		s.lookups = make([]keys.Lookup, 0, len(s.checks))
	}
	for _, c := range s.checks {
		if c.result.Err == nil {
			c.lookup = s.lookup(c.keyName)
		}
	}
	for i := range s.lookups {
		s.questions.Ask(s.lookups[i].Question(), &s.lookups[i])
	}
}

// lookup finds or adds the lookup of a name.
func (s *signatures) lookup(name string) *keys.Lookup {
	for i := range s.lookups {
		if s.lookups[i].Name == name {
			return &s.lookups[i]
		}
	}
	s.lookups = append(s.lookups, keys.Lookup{Name: name})
	return &s.lookups[len(s.lookups)-1]
}

// finish returns the results, nil if the header was not read. If the message was read
// to its end, it waits for the keys.
func (s *signatures) finish() []*Result {
	if s.message.Header() == nil {
		return nil
	}
	interrupted := s.message.Err()
	if interrupted == nil {
		s.questions.Wait()
	}
	var results []*Result
	if len(s.checks) == 1 && s.unreported == 0 { // as mostly
		results = s.checks[0].resultsRoom[:0]
	} else {
		results = make([]*Result, 0, len(s.checks)+min(s.unreported, 1))
	}
	for _, c := range s.checks {
		switch {
		case c.result.Err != nil:
		case interrupted != nil:
			c.refuse(StatusTempError, cause.Wrap(ErrInterrupted, "", interrupted))
		default:
			s.verifier.conclude(c, s.now)
		}
		results = append(results, &c.result)
	}
	if s.unreported > 0 {
		results = append(results, notVerified(s.unreported))
	}
	return results
}

// namesOf returns the names of all fields as written, one after the other: results refer
// to them, and must not keep the header.
func namesOf(fields []header.Field) string {
	var room [1 << 10]byte
	names := room[:0]
	for i := range fields {
		names = append(names, fields[i].Name()...)
	}
	return string(names)
}
