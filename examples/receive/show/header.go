package show

import (
	"slices"
	"strings"

	"github.com/mailverdict/mailverdict/dkim"
	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/examples/received"
	"github.com/mailverdict/mailverdict/internal/visible"
)

// A Field is a header field with what covers it.
type Field struct {
	Name, Value string
	Signature   int   // of a DKIM-Signature field: which one it is, from 1; else 0
	Covered     []int // the signatures that cover it
}

// Is reports whether the field has that name.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// A Body is what is known of the body: how large it is, and what signatures say of it.
type Body struct {
	Octets  int64
	Covered []int // the signatures whose hash matches
	Changed []int // those whose hash does not
}

// newFields returns the fields that are shown, and how many more there are.
func newFields(header []received.Field) ([]Field, int) {
	var fields []Field
	signatures := 0
	for _, h := range header[:min(len(header), maxFields)] {
		f := Field{Name: visible.Line(h.Name), Value: visible.Line(strings.Join(strings.Fields(h.Body), " "))}
		if h.Is("DKIM-Signature") {
			signatures++
			f.Signature = signatures
		}
		fields = append(fields, f)
	}
	return fields, max(0, len(header)-maxFields)
}

// maxCovering is how many signatures are drawn over the header.
const maxCovering = 4

// A Signature is one that is drawn over the header.
type Signature struct {
	Number int // from 1
	Domain string
	result *dkim.Result
}

// Signatures are those that are drawn over the header.
func (v *View) Signatures() (list []Signature) {
	if v.Result == nil {
		return nil
	}
	for i, r := range v.Result.DKIM[:min(len(v.Result.DKIM), maxCovering)] {
		list = append(list, Signature{i + 1, visible.Domain(r.Domain), r})
	}
	return list
}

// cover says which fields and what of the body each signature covers.
func (v *View) cover(r *dmarc.Result) {
	for _, signature := range v.Signatures() {
		s, number := signature.result, signature.Number
		v.coverFields(s, number)
		switch {
		case v.Body == nil || s.Signature == nil || s.BodyHash == nil:
		case !slices.Equal(s.BodyHash, s.Signature.BodyHash):
			v.Body.Changed = append(v.Body.Changed, number)
		case s.BodyUnsigned == 0:
			v.Body.Covered = append(v.Body.Covered, number)
		}
	}
}

// coverFields marks the fields that a signature covers: of several with a name it is the lowest first,
// RFC 6376, section 5.4.2.
func (v *View) coverFields(s *dkim.Result, number int) {
	signed := map[string]int{}
	for _, name := range s.Signed {
		signed[strings.ToLower(name)]++
	}
	for i := len(v.Fields) - 1; i >= 0; i-- {
		f := &v.Fields[i]
		if name := strings.ToLower(f.Name); signed[name] > 0 {
			signed[name]--
			f.Covered = append(f.Covered, number)
		}
	}
}
