package spf

// A pile is memory for the terms of the records that the reading is in, the innermost on
// top. It is used again when the reading leaves a record.
type pile struct {
	terms []Term
}

// room returns an empty slice on top of the pile with room for n terms.
func (p *pile) room(n int) []Term {
	if cap(p.terms)-len(p.terms) < n {
		p.terms = make([]Term, 0, max(n, 16)) // what was there belongs to the records below
	}
	return p.terms[len(p.terms):]
}

// add puts terms on top of the pile, if they are in the room that it gave: then they have its
// capacity, and where append has moved them a larger one.
func (p *pile) add(terms []Term) {
	if top := p.terms[len(p.terms):]; len(terms) > 0 && cap(terms) == cap(top) {
		p.terms = p.terms[:len(p.terms)+len(terms)]
	}
}

// backTo takes off what was added since the pile was as before. What is taken off must not be
// looked at any more.
func (p *pile) backTo(before pile) {
	if cap(p.terms) > 0 && cap(before.terms) > 0 && &p.terms[:1][0] == &before.terms[:1][0] {
		*p = before
		return
	}
	p.terms = p.terms[:0] // made since then, and so all of it
}
