package main

import (
	"bufio"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/examples/archive/internal/stored"
)

func TestTheLinesOfOpenNamesAreReplaced(t *testing.T) {
	a, b := stored.Name{File: "a"}, stored.Name{File: "b"}
	for _, tt := range []struct {
		name, old, want string
		open            []open
		by              map[stored.Name][]byte
	}{
		{"one in the middle", "1\n2\n3\n", "1\nx\n3\n", []open{{a, 1, 1}}, map[stored.Name][]byte{a: []byte("x\n")}},
		{"a file that could not be read becomes an mbox", "1\n2\n3\n", "x\ny\n2\n3\n", []open{{a, 0, 1}}, map[stored.Name][]byte{a: []byte("x\ny\n")}},
		{"an mbox that broke off", "1\n2\n3\n", "1\nx\ny\nz\n", []open{{a, 1, 2}}, map[stored.Name][]byte{a: []byte("x\ny\nz\n")}},
		{"two beside each other", "1\n2\n3\n4\n", "x\ny\n4\n", []open{{a, 0, 2}, {b, 2, 1}}, map[stored.Name][]byte{a: []byte("x\n"), b: []byte("y\n")}},
		{"none", "1\n2\n", "1\n2\n", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			err := replace(bufio.NewReader(strings.NewReader(tt.old)), tt.open, tt.by, func(line []byte) error {
				got.Write(line)
				return nil
			})
			if err != nil || got.String() != tt.want {
				t.Errorf("%q, %v, want %q", got.String(), err, tt.want)
			}
		})
	}
}
