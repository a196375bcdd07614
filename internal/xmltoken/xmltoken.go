// Package xmltoken reads the tags of an XML document and the text between them, for documents
// that are XML in intent only.
//
// A [Reader] differs from encoding/xml's Decoder in what it accepts and in what it can be made
// to hold. It repairs what senders of DMARC reports get wrong, and tells its caller of each
// repair: a "<" that begins no tag and an "&" that begins no reference are text; octets that
// are not UTF-8, or that XML does not allow, are replaced; whatever encoding the prolog names,
// the octets decide. It does not match end tags to start tags, which is its caller's to do.
// It never holds more than a buffer of fixed size and the text before one tag, which is bounded.
//
// Comments and processing instructions are skipped. Document type declarations are refused, so
// there are no entities but the five of XML.
package xmltoken

import (
	"bytes"
	"errors"
	"io"
)

// Why a document is not read on.
var (
	ErrDTD  = errors.New("a document type declaration is not read")
	ErrText = errors.New("too many octets of text in one element")
)

const (
	bufferSize = 16 << 10
	maxTag     = bufferSize / 2 // octets of one tag; a longer one is text
)

// Kind is what a Token is.
type Kind uint8

const (
	Start Kind = iota // <name> or <name/>; an End follows the latter
	End               // </name>
)

// A Token is a tag. Its slices are valid until the next call of Next.
type Token struct {
	Kind Kind
	Name string // as written, with its prefix: "ns1:feedback"
	Text []byte // valid UTF-8, what stands before the tag, if Keep was set
	Raw  []byte // the tag itself, which need not be valid UTF-8; empty for the End of <name/>

	// Namespaces are the xmlns:prefix attributes of a start tag, and xmlns with an empty
	// prefix.
	Namespaces []Namespace
}

// A Namespace is what an xmlns attribute binds.
type Namespace struct{ Prefix, URI string }

// Fault is one thing that was repaired.
type Fault uint8

const (
	FaultMarkup    Fault = iota // "<" that begins no tag is text
	FaultReference              // "&" that begins no reference is text
	FaultOctets                 // octets that are not UTF-8 or that XML does not allow
)

// A Reader reads one document. Its fields may be changed between calls of Next.
type Reader struct {
	// Keep asks for the text before the next tag, of which there may be MaxText octets.
	Keep    bool
	MaxText int

	// Fault is called for what is repaired, where text is kept. It may be nil.
	Fault func(Fault)

	in       io.Reader
	err      error // of in
	buf      []byte
	pos, end int // what of buf is not read yet
	line     int

	raw     []byte // text as it stands in the document
	text    []byte // and as it is meant
	closing string // the name of <name/>, whose End comes next
	names   map[string]string
	latin   bool // the prolog names an encoding of which Windows-1252 is a superset
}

// NewReader returns a Reader of the document in.
func NewReader(in io.Reader) *Reader {
	return &Reader{in: in, buf: make([]byte, bufferSize), line: 1, names: make(map[string]string)}
}

// Line returns the number of the line that was read last, from 1.
func (r *Reader) Line() int { return r.line }

// Next returns the next tag. The error is io.EOF after the last one, ErrDTD, ErrText, or that
// of the underlying reader.
func (r *Reader) Next() (Token, error) {
	r.raw, r.text = r.raw[:0], r.text[:0]
	if r.closing != "" {
		t := Token{Kind: End, Name: r.closing}
		r.closing = ""
		return t, nil
	}
	for {
		if err := r.readText(); err != nil {
			return Token{}, err
		}
		switch n, what := r.markup(); what {
		case markupTag:
			r.settle(true)
			return r.tag(n), nil
		case markupText:
			r.fault(FaultMarkup)
			if err := r.keep(r.buf[r.pos : r.pos+1]); err != nil {
				return Token{}, err
			}
			r.advance(1)
		case markupDeclaration:
			return Token{}, ErrDTD
		default:
			r.advance(n)
			if err := r.skip(what); err != nil {
				return Token{}, err
			}
		}
	}
}

// readText reads up to the next "<", which is then at pos.
func (r *Reader) readText() error {
	for {
		chunk := r.buf[r.pos:r.end]
		i := bytes.IndexByte(chunk, '<')
		if i >= 0 {
			chunk = chunk[:i]
		}
		if err := r.keep(chunk); err != nil {
			return err
		}
		r.advance(len(chunk))
		if i >= 0 {
			return nil
		}
		if !r.fill() {
			return r.err
		}
	}
}

// keep takes text, if it is asked for.
func (r *Reader) keep(text []byte) error {
	if !r.Keep {
		return nil
	}
	if len(r.raw)+len(r.text)+len(text) > r.MaxText {
		return ErrText
	}
	r.raw = append(r.raw, text...)
	return nil
}

// settle moves the text read so far from raw to text. References in it mean what they stand
// for, except in a CDATA section.
func (r *Reader) settle(references bool) {
	if len(r.raw) > 0 {
		r.text = r.appendText(r.text, r.raw, references)
		r.raw = r.raw[:0]
	}
}

// skip reads what is no tag to its end: a comment, a processing instruction, or a CDATA
// section, which is text. Where the document ends before, so does Next.
func (r *Reader) skip(what markupKind) error {
	end := what.closing()
	if what == markupCDATA {
		r.settle(true)
	}
	var prolog []byte
	for {
		chunk := r.buf[r.pos:r.end]
		i := bytes.Index(chunk, []byte(end))
		if i >= 0 {
			chunk = chunk[:i]
		} else if held := len(end) - 1; len(chunk) > held {
			chunk = chunk[:len(chunk)-held] // the rest may be the beginning of end
		} else {
			chunk = nil
		}
		switch {
		case what == markupCDATA:
			if err := r.keep(chunk); err != nil {
				return err
			}
		case what == markupProlog && len(prolog) < 256:
			prolog = append(prolog, chunk[:min(len(chunk), 256)]...)
		}
		r.advance(len(chunk))
		if i >= 0 {
			r.advance(len(end))
			r.settle(what != markupCDATA)
			if what == markupProlog {
				r.latin = namesLatin(prolog)
			}
			return nil
		}
		if !r.fill() {
			return r.err
		}
	}
}

// fill reads more into the buffer, and reports whether there was more.
func (r *Reader) fill() bool {
	if r.pos > 0 {
		copy(r.buf, r.buf[r.pos:r.end])
		r.pos, r.end = 0, r.end-r.pos
	}
	for tries := 0; r.err == nil && r.end < len(r.buf); tries++ {
		n, err := r.in.Read(r.buf[r.end:])
		if r.err = err; n > 0 {
			r.end += n
			return true
		}
		if err == nil && tries == 100 {
			r.err = io.ErrNoProgress
		}
	}
	return false
}

func (r *Reader) advance(n int) {
	r.line += bytes.Count(r.buf[r.pos:r.pos+n], []byte{'\n'})
	r.pos += n
}

func (r *Reader) fault(f Fault) {
	if r.Fault != nil && r.Keep {
		r.Fault(f)
	}
}
