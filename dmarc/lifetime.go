package dmarc

import "context"

// A lifetime is the context of what runs beside a message. It is made when the first such
// thing starts: where memory has all the answers, nothing does.
type lifetime struct {
	outer  context.Context
	inner  context.Context
	cancel context.CancelFunc
}

// context returns the context for something that is about to run. One goroutine starts such
// things; what they start in turn finds the context made.
func (l *lifetime) context() context.Context {
	if l.inner == nil {
		l.inner, l.cancel = context.WithCancel(l.outer)
	}
	return l.inner
}

// end ends what runs.
func (l *lifetime) end() {
	if l.cancel != nil {
		l.cancel()
	}
}
