package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/failure"
)

// read prints the reports in files, folders and standard input.
func (p *program) read(ctx context.Context, args []string) error {
	set := p.flags("read", "FILE|DIR|- ...")
	set.Bool("json", true, "JSON, one report a line, which is what it always prints")
	arguments, err := parse(set, args)
	if err != nil {
		return err
	}
	if len(arguments) == 0 {
		return errors.New("read needs a file, a folder, or - for standard input")
	}
	seen := make(map[string]bool)
	out := json.NewEncoder(p.stdout)
	out.SetEscapeHTML(false)
	p.items(ctx, arguments, func(in item) bool {
		documents, readErr := readItem(in)
		for _, d := range documents {
			d.Repeated = d.key != "" && seen[d.key]
			seen[d.key] = true
			if writeErr := out.Encode(d); writeErr != nil {
				err = writeErr
				return false
			}
		}
		if readErr != nil {
			p.complain(fmt.Errorf("%s: %w", in.name, readErr))
			err = errComplained
		}
		return true
	})
	return err
}

// readItem returns what is printed of a file or mail. An error may stand beside reports: then not all
// is whole.
func readItem(in item) (documents []document, err error) {
	if in.err != nil {
		return nil, in.err
	}
	reports, err := new(aggregate.Reader).Read(bytes.NewReader(in.data))
	for _, r := range reports {
		documents = append(documents, ofAggregate(in.name, r))
	}
	if len(reports) > 0 || errors.Is(err, aggregate.ErrTLSReport) {
		return documents, err
	}
	// Failure reports also come without the part that says what they are.
	if report, failureErr := failure.Read(bytes.NewReader(in.data)); failureErr == nil {
		return []document{ofFailure(in.name, report)}, nil
	}
	return nil, err
}
