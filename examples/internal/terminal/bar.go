package terminal

import (
	"io"

	"github.com/schollz/progressbar/v3"
)

// Bar returns a bar for a terminal's standard error that shows how many of most things are done, or
// for -1, where nobody knows how many there are, a count. It is nil if stderr is no terminal.
func Bar(stderr io.Writer, most int, what string) *progressbar.ProgressBar {
	if !Is(stderr) {
		return nil
	}
	return progressbar.NewOptions(most,
		progressbar.OptionSetWriter(stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSpinnerType(0),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionEnableColorCodes(false),
	)
}
