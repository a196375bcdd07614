package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/mailverdict/mailverdict/examples/internal/mailbox"
)

// smallMessage is how large a message of an mbox may be to be held in memory while the
// next one is read, in octets. Larger ones are verified one at a time, as they are read.
const smallMessage = 256 << 10

// eachOfMbox calls yield for the messages of an mbox: archive.mbox#1 and so on.
func eachOfMbox(ctx context.Context, name string, r *bufio.Reader, notes []string, yield func(l letter, held bool)) error {
	notes = append(notes, "read from an mbox") // of the first message alone
	box := mailbox.NewReader(r)
	for n := 1; ctx.Err() == nil; n++ {
		next, err := box.NextMessage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return cause(err)
		}
		head, err := io.ReadAll(io.LimitReader(next, smallMessage+1))
		if err != nil {
			return fmt.Errorf("message %d: %w", n, cause(err))
		}
		held := len(head) <= smallMessage
		all := io.Reader(bytes.NewReader(head))
		if !held {
			all = io.MultiReader(all, next)
		}
		yield(message(fmt.Sprintf("%s#%d", name, n), bufio.NewReader(all), notes), held)
		notes = nil
	}
	return nil
}
