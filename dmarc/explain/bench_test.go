package explain

import (
	"io"
	"testing"
)

func BenchmarkText(b *testing.B) {
	r := everything("shop.example")
	b.ReportAllocs()
	for b.Loop() {
		Explain(r).Text(io.Discard, TextOptions{})
	}
}

func BenchmarkHTML(b *testing.B) {
	r := everything("shop.example")
	b.ReportAllocs()
	for b.Loop() {
		Explain(r).HTML(io.Discard)
	}
}
