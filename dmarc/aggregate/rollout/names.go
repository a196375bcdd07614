package rollout

// This file says of which names below a domain it is not known what they are.

// unasked returns the names below the domain that send mail of its own, or may, and of which DNS did not say whether
// they exist.
func unasked(in Input) map[string]int64 {
	return names(in, func(f *Flow) bool {
		_, asked := in.Missing[f.HeaderFrom]
		return !asked && f.Class != Unknown
	})
}

// doubtful returns the names below the domain that may exist, and from which mail came that proves nothing: it may be
// the domain's own, sent by what is not set up. What stands as OtherNames is too little of each.
func doubtful(in Input) map[string]int64 {
	return names(in, func(f *Flow) bool {
		return !in.Missing[f.HeaderFrom] && f.Class == Unknown && f.HeaderFrom != OtherNames
	})
}

// names returns the names below the domain that have flows of a kind, and how many messages.
func names(in Input, is func(*Flow) bool) map[string]int64 {
	list := make(map[string]int64)
	for i := range in.Flows {
		if f := &in.Flows[i]; f.HeaderFrom != in.Domain && f.HeaderFrom != "" && is(f) {
			list[f.HeaderFrom] = sum(list[f.HeaderFrom], f.Messages)
		}
	}
	return list
}
