package spf

import (
	"time"

	"github.com/mailverdict/mailverdict/internal/limit"
)

// Limits bound what one check may cost, whatever the records say. In each field zero is
// the default, which is that of RFC 7208, section 4.6.4, if it has one, and a negative
// number is no limit.
type Limits struct {
	// Terms is how many terms may ask DNS, over all records of a check: include, a,
	// mx, ptr, exists and redirect, where %{p} counts like a ptr. Default 10; more
	// is permerror. It keeps a record from making the checking host attack others.
	// A loop of records is permerror with or without it.
	Terms int

	// VoidLookups is how many terms may ask DNS something to which there is no
	// answer; each counts once, however many hosts of an mx have no address. Default
	// 2; more is permerror. It defends domains that do not exist, and those above
	// them, against floods of questions for random names.
	VoidLookups int

	// MXHosts is how many hosts one mx term may have. Default 10; more is
	// permerror, and none of them is asked for. Without it one term costs as many
	// questions as a stranger's MX records have hosts.
	MXHosts int

	// PTRNames is how many names of the client's address ptr and %{p} look at.
	// Default 10; the rest is ignored, since not the sender but the owner of the
	// address writes them.
	PTRNames int

	// Questions is how many DNS questions the evaluation of the records may need in
	// all. Default 50; more is permerror. The limits above allow more than 110.
	//
	// Questions that were asked ahead and turn out not to be needed do not count.
	// At most 10 questions are asked ahead that the evaluation has not come to, so
	// DNS gets at most Questions + 10 from one check, whatever the records say and
	// however long answers take, and at most Questions with Options.Sequential.
	Questions int

	// Time is how long a check may take, from its first question whose answer is not
	// in memory (a resolver.Cache or Zone). Default 20 seconds; longer is temperror.
	// The questions of ptr and %{p} for the name of the client's address take no
	// more than 5 seconds and a quarter of the time that is left: without an answer
	// they match nothing (section 5.5), and the rest of the record is evaluated.
	Time time.Duration

	// RecordOctets and RecordTerms bound one record. Defaults 8192 octets and 500
	// terms; more is permerror.
	RecordOctets int
	RecordTerms  int

	// ExplanationOctets is how long Result.Explanation may be. Default 450;
	// what is longer is cut off.
	ExplanationOctets int
}

// withDefaults returns l with each field as it is meant.
func (l Limits) withDefaults() Limits {
	return Limits{
		Terms:             limit.Of(l.Terms, 10),
		VoidLookups:       limit.Of(l.VoidLookups, 2),
		MXHosts:           limit.Of(l.MXHosts, 10),
		PTRNames:          limit.Of(l.PTRNames, 10),
		Questions:         limit.Of(l.Questions, 50),
		Time:              limit.Of(l.Time, 20*time.Second),
		RecordOctets:      limit.Of(l.RecordOctets, 8<<10),
		RecordTerms:       limit.Of(l.RecordTerms, 500),
		ExplanationOctets: limit.Of(l.ExplanationOctets, 450),
	}
}
