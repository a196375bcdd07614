package header

import "hash/maphash"

// An Index finds the fields of a header by name, bottom-most first, after Build. Build
// takes time linear in the header, and each lookup constant time, whatever names a sender
// chooses: its hash function is keyed.
type Index struct {
	seed   maphash.Seed
	names  []byte  // of all fields, in lower case
	ends   []int32 // by field: where its name ends in names
	slots  []int32 // open addressing: 1 + bottom-most field of a name, or 0
	above  []int32 // by field: 1 + the next field above of the same name, or 0
	memory []int32 // of these three
}

// Build indexes the fields that have a valid name, in place of those of an earlier Build,
// in the same memory.
func (x *Index) Build(fields []Field) {
	size := 16
	for size < 2*len(fields) {
		size *= 2
	}
	need := size + 2*len(fields)
	if cap(x.memory) < need {
		x.memory = make([]int32, need)
		x.seed = maphash.MakeSeed()
	}
	all := x.memory[:need]
	clear(all)
	x.slots, x.above, x.ends = all[:size], all[size:size+len(fields)], all[size+len(fields):]
	x.names = x.names[:0]
	for i := range fields {
		start := len(x.names)
		x.names = appendLower(x.names, fields[i].Name())
		x.ends[i] = int32(len(x.names))
		if len(x.names) > start {
			slot := x.find(x.names[start:])
			x.above[i] = x.slots[slot]
			x.slots[slot] = int32(i) + 1
		}
	}
}

// Octets returns how much memory x has for the next Build.
func (x *Index) Octets() int { return 4*cap(x.memory) + cap(x.names) }

// Slots is the number of slots that Slot distinguishes.
func (x *Index) Slots() int { return len(x.slots) }

// Slot returns a number for a name, under Slots, and the bottom-most field of that name,
// or -1. Two names have the same number if and only if they are equal without regard to
// case, or no field has either of them.
func (x *Index) Slot(name string) (slot, bottom int) {
	var short [64]byte
	slot = x.find(appendLower(short[:0], name))
	return slot, int(x.slots[slot]) - 1
}

// Above returns the next field above field i that has the same name, or -1.
func (x *Index) Above(i int) int { return int(x.above[i]) - 1 }

// Name returns the name of field i in lower case, empty if it has no valid one.
func (x *Index) Name(i int) []byte {
	start := int32(0)
	if i > 0 {
		start = x.ends[i-1]
	}
	return x.names[start:x.ends[i]]
}

// find returns the slot of a name in lower case: the one that has it, or a free one.
func (x *Index) find(name []byte) int {
	mask := len(x.slots) - 1
	slot := int(maphash.Bytes(x.seed, name)) & mask
	for x.slots[slot] != 0 && string(x.Name(int(x.slots[slot])-1)) != string(name) {
		slot = (slot + 1) & mask
	}
	return slot
}
