package main

import (
	"bytes"
	"html/template"

	"github.com/mailverdict/mailverdict/examples/internal/saved"
	"github.com/mailverdict/mailverdict/examples/receive/show"
)

// maxHead is how much of a header is held to be shown.
const maxHead = 300 << 10

// Write takes the next octets of the message: the header is kept until it can be shown, of the body the
// octets are counted.
func (m *message) Write(p []byte) (int, error) {
	if m.visitor.isGone() {
		return 0, errGone
	}
	if m.ended {
		m.octets += int64(len(p))
		return len(p), nil
	}
	m.head.Write(p)
	text := m.head.Bytes()
	end := headerEnd(text)
	if end < 0 && len(text) < maxHead {
		return len(p), nil
	}
	if end < 0 {
		end = len(text)
	}
	m.octets = int64(len(text) - end)
	m.showHeader(text[:end])
	return len(p), nil
}

func (m *message) showHeader(text []byte) {
	m.ended, m.header = true, len(text)
	fields, _, _ := saved.ReadHeader(bytes.NewReader(text[:min(len(text), maxHead)]))
	m.head = bytes.Buffer{}
	m.do(func(v *show.View) template.HTML { return v.Header(fields) + m.entryLocked(false).html() })
}

// headerEnd returns where the body begins, or -1. A message whose first line ends in a bare LF is a Unix
// file.
func headerEnd(text []byte) int {
	end := "\r\n\r\n"
	if first := bytes.IndexByte(text, '\n'); first == 0 || first > 0 && text[first-1] != '\r' {
		end = "\n\n"
	}
	if at := bytes.Index(text, []byte(end)); at >= 0 {
		return at + len(end)
	}
	return -1
}
