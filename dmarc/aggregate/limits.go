package aggregate

import "github.com/mailverdict/mailverdict/internal/limit"

// Limits bound what a reader takes of one file or mail. Reports come from strangers, and a few
// hundred octets can be made to inflate to gigabytes. Zero fields have the defaults below, and a
// negative number is no limit.
type Limits struct {
	// Size is how many octets of XML all reports of one input may have, and how many octets
	// any of the compressed files in it may inflate to. Default 64 MiB.
	Size int64

	// Ratio is how many times its size a compressed file may inflate to, once that is more
	// than 1 MiB. Reports of very many alike rows reach 100. Default 300.
	Ratio int64

	// Depth is how deep elements may stand in one another. Default 32; a report has 6.
	Depth int

	// Rows is how many rows one report may have. Default 250,000.
	Rows int

	// Text is how many octets of text one element may have. Default 64 KiB.
	Text int
}

// The defaults of Limits.
const (
	DefaultSize  = 64 << 20
	DefaultRatio = 300
	DefaultDepth = 32
	DefaultRows  = 250_000
	DefaultText  = 64 << 10
)

func (l Limits) withDefaults() Limits {
	return Limits{
		Size:  limit.Of(l.Size, DefaultSize),
		Ratio: limit.Of(l.Ratio, DefaultRatio),
		Depth: limit.Of(l.Depth, DefaultDepth),
		Rows:  limit.Of(l.Rows, DefaultRows),
		Text:  limit.Of(l.Text, DefaultText),
	}
}
