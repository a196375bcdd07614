package aggregate

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"io"
	"math"

	"golang.org/x/text/encoding/unicode"

	"github.com/mailverdict/mailverdict/internal/cause"
)

// gzip reads what a gzip holds: RFC 1952. Its members are one file.
func (s *source) gzip(in *bufio.Reader, layer int) {
	packed := &meter{in: in, most: math.MaxInt64}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		s.fail(dataError(err))
		return
	}
	s.inflated(packed, unpacked, layer)
}

// inflated reads what a compressed file holds, within the limits.
func (s *source) inflated(packed *meter, unpacked io.Reader, layer int) {
	s.read(&meter{
		in: unpacked, most: s.limits.Size, over: exceeds("Size", s.limits.Size),
		of: packed, ratio: s.limits.Ratio,
	}, layer+1)
}

// utf16 returns a reader of what in holds in UTF-16, whose byte order its first octets say.
func utf16(in io.Reader) io.Reader {
	return unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Reader(in)
}

// Of the header that stands before each file of a zip: APPNOTE 4.3.7.
const (
	zipSignature = 0x04034b50
	zipHeader    = 30 // octets before its name
	zipEncrypted = 1 << 0
	zipStored    = 0
	zipDeflated  = 8
)

// zip reads the first file of a zip that is not empty, as a directory is. It reads the zip from
// its beginning, without the directory at its end, so that none of it is kept in memory.
func (s *source) zip(in *bufio.Reader, layer int) {
	packed := &meter{in: in, most: math.MaxInt64}
	for range maxParts {
		var h [zipHeader]byte
		if _, err := io.ReadFull(packed, h[:]); err != nil {
			s.fail(dataError(err))
			return
		}
		if binary.LittleEndian.Uint32(h[:]) != zipSignature {
			break
		}
		flags, method := binary.LittleEndian.Uint16(h[6:]), binary.LittleEndian.Uint16(h[8:])
		size := int64(binary.LittleEndian.Uint32(h[18:]))
		names := int64(binary.LittleEndian.Uint16(h[26:])) + int64(binary.LittleEndian.Uint16(h[28:]))
		if _, err := io.CopyN(io.Discard, packed, names); err != nil {
			s.fail(dataError(err))
			return
		}
		switch {
		case flags&zipEncrypted != 0:
			s.fail(cause.Wrap(ErrEncoded, "the zip is encrypted", nil))
			return
		case method == zipDeflated:
			s.inflated(packed, flate.NewReader(packed), layer)
			return
		case method == zipStored && size > 0:
			s.inflated(packed, io.LimitReader(packed, size), layer)
			return
		case method != zipStored:
			s.fail(cause.Wrap(ErrEncoded, "a zip of another method than deflate", nil))
			return
		}
	}
	s.fail(cause.Wrap(ErrEncoded, "the zip has no file", nil))
}

// A meter reads from in, of which there may be most octets. Where the limit is reached, the error
// is over, or io.EOF without one.
type meter struct {
	in   io.Reader
	n    int64 // octets read
	most int64
	over error

	of    *meter // what in inflates, or nil
	ratio int64
}

// ratioFrom is from how many octets on the ratio counts.
const ratioFrom = 1 << 20

func (m *meter) Read(p []byte) (int, error) {
	if m.n >= m.most {
		if m.over == nil {
			return 0, io.EOF
		}
		var one [1]byte
		if n, err := m.in.Read(one[:]); n == 0 {
			return 0, err // it ends here, or there is no telling yet
		}
		return 0, m.over
	}
	n, err := m.in.Read(p[:min(int64(len(p)), m.most-m.n)])
	m.n += int64(n)
	if m.of != nil && m.n > ratioFrom && m.n/m.ratio > m.of.n {
		return 0, exceeds("Ratio", m.ratio)
	}
	return n, err
}
