package suite

// EachNull calls f with null in the place of each part of a value of JSON, one after the other.
// The value is as json.Unmarshal has it in an any, and is whole again afterwards.
func EachNull(value any, f func()) {
	switch v := value.(type) {
	case map[string]any:
		for key, part := range v {
			v[key] = nil
			f()
			v[key] = part
			EachNull(part, f)
		}
	case []any:
		for i, part := range v {
			v[i] = nil
			f()
			v[i] = part
			EachNull(part, f)
		}
	}
}

// Nulls puts null in the place of some parts of a value of JSON, which ones the bits say, and
// returns the value.
func Nulls(value any, bits uint64) any {
	value, _ = nulls(value, bits|1<<63)
	return value
}

// nulls goes round and round through the bits.
func nulls(value any, bits uint64) (any, uint64) {
	next := func() bool {
		bits = bits>>1 | bits<<63
		return bits>>63 == 1 && bits&0xf == 0x3
	}
	switch v := value.(type) {
	case map[string]any:
		for key, part := range v {
			if v[key], bits = nulls(part, bits); next() {
				v[key] = nil
			}
		}
	case []any:
		for i, part := range v {
			if v[i], bits = nulls(part, bits); next() {
				v[i] = nil
			}
		}
	}
	return value, bits
}
