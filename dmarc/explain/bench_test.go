package explain

import (
	"io"
	"testing"
)

func BenchmarkText(b *testing.B) {
	r := everything("shop.example")
	b.ReportAllocs()
	for b.Loop() {
		Text(io.Discard, Steps(r), TextOptions{})
	}
}

func BenchmarkHTML(b *testing.B) {
	r := everything("shop.example")
	b.ReportAllocs()
	for b.Loop() {
		HTML(io.Discard, Steps(r))
	}
}
