package header

import "hash/maphash"

// An Index finds the fields of a header by name, bottom-most first, after Build. Build
// takes time linear in the header, and each lookup constant time, whatever names a sender
// chooses: its hash function is keyed.
type Index struct {
	seed   maphash.Seed
	fields []Field
	slots  []int32 // open addressing: 1 + bottom-most field of a name, or 0
	above  []int32 // by field: 1 + the next field above of the same name, or 0
	memory []int32 // of these two
}

// Build indexes the fields that have a valid name, in place of those of an earlier Build,
// in the same memory. The fields must not change while the Index is in use.
func (x *Index) Build(fields []Field) {
	size := 16
	for size < 2*len(fields) {
		size *= 2
	}
	need := size + len(fields)
	if cap(x.memory) < need {
		x.memory = make([]int32, need)
		x.seed = maphash.MakeSeed()
	}
	all := x.memory[:need]
	clear(all)
	x.fields, x.slots, x.above = fields, all[:size], all[size:]
	for i := range fields {
		if name := fields[i].name; len(name) > 0 {
			slot := x.find(name)
			x.above[i] = x.slots[slot]
			x.slots[slot] = int32(i) + 1
		}
	}
}

// Forget lets go of the fields, and of memory for the next Build if that is more than so many
// octets.
func (x *Index) Forget(most int) {
	if x.fields = nil; x.Octets() > most {
		*x = Index{}
	}
}

// Octets returns how much memory x has for the next Build.
func (x *Index) Octets() int { return 4 * cap(x.memory) }

// Slots is the number of slots that Slot distinguishes.
func (x *Index) Slots() int { return len(x.slots) }

// Slot returns a number for a name, under Slots, and the bottom-most field of that name,
// or -1. Two names have the same number if and only if they are equal without regard to
// case, or no field has either of them.
func (x *Index) Slot(name string) (slot, bottom int) {
	var short [64]byte
	lower, _ := appendLower(short[:0], name)
	slot = x.find(lower)
	return slot, int(x.slots[slot]) - 1
}

// Above returns the next field above field i that has the same name, or -1.
func (x *Index) Above(i int) int { return int(x.above[i]) - 1 }

// find returns the slot of a name in lower case: the one that has it, or a free one.
func (x *Index) find(name []byte) int {
	mask := len(x.slots) - 1
	slot := int(maphash.Bytes(x.seed, name)) & mask
	for x.slots[slot] != 0 && string(x.fields[x.slots[slot]-1].name) != string(name) {
		slot = (slot + 1) & mask
	}
	return slot
}
