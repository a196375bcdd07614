package header

import "hash/maphash"

// An Index finds the fields of a header by name, bottom-most first. Building it is
// linear in the header and each question takes constant time, whatever names a
// sender chose: the hash is keyed. Build comes first.
type Index struct {
	fields []Field
	seed   maphash.Seed
	slots  []int32 // open addressing: 1 + bottom-most field of a name, or 0
	above  []int32 // by field: 1 + the next field above of the same name, or 0
	memory []int32 // of both
}

// Build indexes the fields that have a valid name. What x held before is forgotten,
// and its memory used again.
func (x *Index) Build(fields []Field) {
	size := 16
	for size < 2*len(fields) {
		size *= 2
	}
	if need := size + len(fields); cap(x.memory) < need {
		x.memory = make([]int32, need)
		x.seed = maphash.MakeSeed()
	}
	all := x.memory[:size+len(fields)]
	clear(all)
	x.fields, x.slots, x.above = fields, all[:size], all[size:]
	for i, f := range fields {
		if f.name > 0 {
			slot := find(x, f.Name())
			x.above[i] = x.slots[slot]
			x.slots[slot] = int32(i) + 1
		}
	}
}

// Slots is the number of slots that Slot distinguishes.
func (x *Index) Slots() int { return len(x.slots) }

// Slot returns a number that all names equal to name, and no other name in the
// header, share, and the bottom-most field of that name, or -1.
func (x *Index) Slot(name string) (slot, bottom int) {
	slot = find(x, name)
	return slot, int(x.slots[slot]) - 1
}

// Above returns the next field above field i that has the same name, or -1.
func (x *Index) Above(i int) int { return int(x.above[i]) - 1 }

// find returns the slot of a name: the one where it stands, or a free one.
func find[T string | []byte](x *Index, name T) int {
	var short [64]byte
	key := short[:0]
	for i := range len(name) {
		key = append(key, lower(name[i]))
	}
	mask := len(x.slots) - 1
	slot := int(maphash.Bytes(x.seed, key)) & mask
	for x.slots[slot] != 0 {
		f := x.fields[x.slots[slot]-1]
		if len(key) == f.name && equalFold(f.raw[:f.name], key) {
			break
		}
		slot = (slot + 1) & mask
	}
	return slot
}
