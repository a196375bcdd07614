package rollout

// Counts are how many messages there are, in all and of each class.
type Counts struct {
	Messages int64 `json:"messages"`
	Aligned  int64 `json:"aligned"` // they pass, and no policy changes anything for them

	// What a policy of quarantine or reject concerns.
	Misaligned int64 `json:"misaligned"`
	Forwarded  int64 `json:"forwarded"`
	Unknown    int64 `json:"unknown"`
}

// Failing returns how many messages a policy of quarantine or reject concerns.
func (c *Counts) Failing() int64 { return sum(sum(c.Misaligned, c.Forwarded), c.Unknown) }

func (c *Counts) add(f *Flow) {
	c.Messages = sum(c.Messages, f.Messages)
	switch f.Class {
	case Aligned:
		c.Aligned = sum(c.Aligned, f.Messages)
	case Misaligned:
		c.Misaligned = sum(c.Misaligned, f.Messages)
	case Forwarded:
		c.Forwarded = sum(c.Forwarded, f.Messages)
	default:
		c.Unknown = sum(c.Unknown, f.Messages)
	}
}
