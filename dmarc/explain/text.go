package explain

import (
	"fmt"
	"io"
)

// TextOptions say how Text writes.
type TextOptions struct {
	Width int  // columns; 0 means 80, and less than 40 means 40
	Color bool // colour the outcomes with ANSI escape sequences
}

// Text writes steps for a terminal or a log, wrapped at the width. The error is that of w.
func Text(w io.Writer, steps []Step, o TextOptions) error {
	for _, s := range steps {
		if _, err := fmt.Fprintf(w, "%s: %s\n  %s\n", s.Title, s.Outcome, s.Consequence); err != nil {
			return err
		}
	}
	return nil
}
