package spf

import "time"

// Limits bound what one check may cost, whatever the records say. Zero fields have
// the defaults named below, which are those of RFC 7208, section 4.6.4, where it
// has one; a negative field means none at all.
type Limits struct {
	// Terms that ask DNS, over all records of a check: include, a, mx, ptr,
	// exists and redirect, where %{p} counts like a ptr. Default 10; more is
	// permerror. It ends loops and keeps a record from making the checking host
	// attack others.
	Terms int

	// VoidLookups are terms that ask DNS something to which there is no answer; each
	// counts once, however many hosts of an mx have no address. Default 2; more is
	// permerror. It defends domains that do not exist, and those above
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

	// Questions is how many DNS questions the reading of the records may need in
	// all. Default 50; more is permerror. The limits above allow more than 110.
	// What was asked ahead of the reading and then turns out not to be needed is
	// not counted: at most 10 questions, since never more are asked that the reading
	// has not come to. So DNS gets at most Questions + 10 from one check, whatever
	// the records say and however long answers take, and at most Questions with
	// Checker.Sequential.
	Questions int

	// Time is how long a check may take, from its first question that resolver.Recall
	// does not answer. Default 20 seconds; longer is temperror.
	Time time.Duration

	// RecordOctets and RecordTerms bound one record. Defaults 8192 octets and 500
	// terms; more is permerror.
	RecordOctets int
	RecordTerms  int

	// ExplanationOctets is how long Result.Explanation may be. Default 450;
	// what is longer is cut off.
	ExplanationOctets int
}

// withDefaults returns l with no field that means anything but its value.
func (l Limits) withDefaults() Limits {
	return Limits{
		Terms:             orDefault(l.Terms, 10),
		VoidLookups:       orDefault(l.VoidLookups, 2),
		MXHosts:           orDefault(l.MXHosts, 10),
		PTRNames:          orDefault(l.PTRNames, 10),
		Questions:         orDefault(l.Questions, 50),
		Time:              orDefault(l.Time, 20*time.Second),
		RecordOctets:      orDefault(l.RecordOctets, 8<<10),
		RecordTerms:       orDefault(l.RecordTerms, 500),
		ExplanationOctets: orDefault(l.ExplanationOctets, 450),
	}
}

func orDefault[T ~int | ~int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return max(v, 0)
}
