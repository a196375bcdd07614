package dmarc

import "sync"

// A buffer is what Verify reads into.
type buffer [32 << 10]byte

// buffers keeps buffers from one message to the next. With a new one for each, a message of
// 4 KiB takes three times the memory, and a fifth more time.
type buffers struct{ pool sync.Pool }

func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return new(buffer)
}

func (p *buffers) put(b *buffer) { p.pool.Put(b) }
