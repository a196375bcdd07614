package authres

import (
	"io"
	"strings"
	"testing"
)

func BenchmarkFormat(b *testing.B) {
	r := shop()
	b.ReportAllocs()
	for b.Loop() {
		Format(ours, r)
	}
}

func BenchmarkParse(b *testing.B) {
	field := Format(ours, shop())
	b.ReportAllocs()
	b.SetBytes(int64(len(field)))
	for b.Loop() {
		if _, err := Parse(field); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRemoveForged(b *testing.B) {
	for name, message := range map[string]string{
		"header": strings.Repeat(Format(ours, shop())+"\r\n"+"Subject: "+strings.Repeat("a", 500)+"\r\n", 50) + "\r\n",
		"body":   "From: a\r\n\r\n" + strings.Repeat("a line of the body\r\n", 50_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				if _, err := RemoveForged(io.Discard, strings.NewReader(message), ours); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
