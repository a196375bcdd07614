package message

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailverdict/mailverdict/internal/canon"
	"github.com/mailverdict/mailverdict/internal/header"
)

// A probe is a check that notes when the header ended, and asks for body hashes.
type probe struct {
	calls  int
	fields int
	hashes []*canon.Hash
	asks   func(m *Message) []*canon.Hash
}

func (p *probe) HeaderEnded(m *Message) {
	p.calls++
	p.fields = len(m.Header().Fields)
	if p.asks != nil {
		p.hashes = p.asks(m)
	}
}

func wholeBodies(m *Message) []*canon.Hash {
	return []*canon.Hash{m.BodyHash(canon.Simple, canon.Whole), m.BodyHash(canon.Relaxed, canon.Whole)}
}

const text = "From: a@example.com\r\nSubject: b\r\n c\r\n\r\nbody  text\r\n"

// checkBodies fails unless the hashes are those of the body of text.
func checkBodies(t *testing.T, hashes []*canon.Hash) {
	t.Helper()
	for i, want := range []string{"body  text\r\n", "body text\r\n"} {
		if hashes[i].Sum() != sha256.Sum256([]byte(want)) {
			t.Errorf("body hash %d is not that of %q", i, want)
		}
	}
}

func TestEveryCheckIsToldOnceWhenTheHeaderHasEnded(t *testing.T) {
	for size := 1; size <= len(text); size++ {
		m := New(Limits{})
		one, two := &probe{asks: wholeBodies}, &probe{asks: wholeBodies}
		m.Attach(one)
		m.Attach(two)
		for chunk := range slices.Chunk([]byte(text), size) {
			if n, err := m.Write(bytes.Clone(chunk)); n != len(chunk) || err != nil {
				t.Fatal(n, err)
			}
		}
		if m.Header() == nil || one.calls != 1 || two.calls != 1 || one.fields != 2 {
			t.Fatalf("chunks of %d: %d and %d calls, %d fields", size, one.calls, two.calls, one.fields)
		}
		if err := m.End(); err != nil {
			t.Fatal(err)
		}
		checkBodies(t, one.hashes)
		if one.hashes[0] != two.hashes[0] || one.hashes[1] != two.hashes[1] {
			t.Error("a body hash is made twice")
		}
	}
}

func TestAMessageWithoutABodyEndsItsHeader(t *testing.T) {
	for _, text := range []string{"", "From: a\r\n", "From: a", "From: a\r\n\r\n"} {
		m := New(Limits{})
		p := &probe{asks: wholeBodies}
		m.Attach(p)
		m.Write([]byte(text))
		if err := m.End(); err != nil || p.calls != 1 || p.hashes[0].Signed() != 2 || p.hashes[1].Signed() != 0 {
			t.Errorf("%q: %v, %d calls", text, err, p.calls)
		}
		if err := m.End(); err != nil {
			t.Errorf("End again: %v", err)
		}
		if _, err := m.Write([]byte("x")); !errors.Is(err, ErrClosed) {
			t.Errorf("Write after End: %v", err)
		}
	}
}

func TestAHeaderFieldByField(t *testing.T) {
	for _, fields := range [][][2]string{
		{{"From", " a@example.com"}, {"Subject", " b\r\n c"}},
		{{"From", " a@example.com"}, {"Subject", " b\n c"}},
	} {
		m := New(Limits{})
		p := &probe{asks: wholeBodies}
		m.Attach(p)
		for _, f := range fields {
			if err := m.WriteField(f[0], f[1]); err != nil {
				t.Fatal(err)
			}
		}
		if m.Header() != nil || p.calls != 0 {
			t.Error("the header ended before EndHeader")
		}
		if err := m.EndHeader(); err != nil || p.calls != 1 {
			t.Fatalf("EndHeader: %v, %d calls", err, p.calls)
		}
		m.Write([]byte("body "))
		m.Write([]byte(" text\r\n"))
		if err := m.End(); err != nil {
			t.Fatal(err)
		}
		checkBodies(t, p.hashes)
		h := m.Header()
		if h.Err != nil || len(h.Fields) != 2 || string(h.Fields[1].Raw()) != "Subject: b\r\n c" {
			t.Errorf("%v, %d fields", h.Err, len(h.Fields))
		}
	}
}

func TestAHeaderFieldByFieldMayEndWithTheMessage(t *testing.T) {
	m := New(Limits{})
	m.WriteField("From", " a")
	if err := m.End(); err != nil || len(m.Header().Fields) != 1 {
		t.Errorf("%v", err)
	}
}

// What a mail system would write of such a field has two readings, and the header says so.
func TestAFieldThatIsNoFieldIsAStructuralError(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		fields      int
		want        error
	}{
		{"From", " a\nb", 2, header.ErrNoColon},
		{"From", " a\n\n b", 2, header.ErrBlankLine},
		{"From", " a\r\n", 2, header.ErrBlankLine},
		{"From", " a\r b", 1, header.ErrBareCR},
		{"From", " a\r", 1, header.ErrBareCR},
		{"From ", " a", 1, header.ErrSpaceBeforeColon},
		{"", " a", 1, header.ErrName},
		{"Fr\nom", " a", 1, header.ErrName},
		{"From", " \x00", 1, header.ErrNUL},
		{"From", " a\nTo: b", 2, nil},
		{"X: 1\r\nFrom", " a", 2, nil},
		{"X: 1\r\n b", " c", 1, nil},
		{"From", "", 1, nil},
	} {
		m := New(Limits{})
		m.WriteField(tt.name, tt.value)
		m.EndHeader()
		if err := m.End(); err != nil {
			t.Fatal(err)
		}
		if h := m.Header(); !errors.Is(h.Err, tt.want) || len(h.Fields) != tt.fields {
			t.Errorf("%q: %q: %v, %d fields, want %v, %d", tt.name, tt.value, h.Err, len(h.Fields), tt.want, tt.fields)
		}
	}
}

func TestAHeaderComesOneWayOnly(t *testing.T) {
	write := func(m *Message) error { _, err := m.Write([]byte("X: 1\r\n\r\n")); return err }
	field := func(m *Message) error { return m.WriteField("X", " 1") }
	end := func(m *Message) error { return m.EndHeader() }
	nothing := func(m *Message) error { _, err := m.Write(nil); return err }
	for _, tt := range []struct {
		name  string
		calls []func(*Message) error
		bad   int // the first call that fails; -1: none
	}{
		{"fields, their end, body", []func(*Message) error{field, field, end, write}, -1},
		{"no field at all", []func(*Message) error{end, write}, -1},
		{"a Write of nothing does not count", []func(*Message) error{nothing, field, end}, -1},
		{"octets before a field", []func(*Message) error{write, field}, 1},
		{"octets before the end of fields", []func(*Message) error{write, end}, 1},
		{"octets among fields", []func(*Message) error{field, write}, 1},
		{"a field after the end of fields", []func(*Message) error{field, end, field}, 2},
		{"the end of fields twice", []func(*Message) error{field, end, end}, 2},
		{"a field in the body", []func(*Message) error{field, end, write, field}, 3},
		{"the end of fields in the body", []func(*Message) error{field, end, write, end}, 3},
	} {
		m := New(Limits{})
		for i, call := range tt.calls {
			err := call(m)
			if (err != nil) != (i == tt.bad) || err != nil && err != ErrOrder {
				t.Errorf("%s: call %d: %v", tt.name, i, err)
			}
		}
		// The error stays.
		want := error(nil)
		if tt.bad >= 0 {
			want = ErrOrder
		}
		_, err := m.Write(nil)
		if err != want || m.Err() != want || m.End() != want {
			t.Errorf("%s: later %v, %v, %v", tt.name, err, m.Err(), m.End())
		}
		if want != nil && (m.WriteField("X", "") != want || m.EndHeader() != want || m.Fail(errors.New("other")) != want) {
			t.Errorf("%s: another error later", tt.name)
		}
	}
}

func TestAMessageThatFailsInItsHeaderTellsNobody(t *testing.T) {
	m := New(Limits{})
	p := &probe{}
	m.Attach(p)
	m.Write([]byte("From: a\r\n"))
	broken := errors.New("broken")
	if err := m.Fail(broken); err != broken {
		t.Error(err)
	}
	if err := m.End(); err != broken || m.Header() != nil || p.calls != 0 {
		t.Errorf("%v, header %v, %d calls", err, m.Header(), p.calls)
	}
}

func TestLimitsOfAHeader(t *testing.T) {
	limits := Limits{Header: header.Limits{Block: 60, Field: 30, Fields: 3}}
	for _, tt := range []struct {
		name   string
		fields [][2]string
		want   error
	}{
		{"within them", [][2]string{{"A", strings.Repeat("x", 26)}, {"B", "\n 2"}, {"C", ""}}, nil},
		{"a long field", [][2]string{{"A", strings.Repeat("x", 27)}}, header.ErrFieldLimit},
		{"a long field of many lines", [][2]string{{"A", strings.Repeat("x\n ", 12)}}, header.ErrFieldLimit},
		{"many fields", [][2]string{{"A", ""}, {"A", ""}, {"A", ""}, {"A", ""}}, header.ErrFieldsLimit},
		{"many fields in one value", [][2]string{{"A", "\nA:\nA:\nA:"}}, header.ErrFieldsLimit},
		{"many octets", [][2]string{{"A", strings.Repeat("x", 25)}, {"B", strings.Repeat("x", 25)}, {"C", "1"}}, header.ErrBlockLimit},
		{"many octets in a name", [][2]string{{strings.Repeat("x", 40), ""}}, header.ErrFieldLimit},
	} {
		var octets strings.Builder
		m := New(limits)
		var err error
		for _, f := range tt.fields {
			fmt.Fprintf(&octets, "%s:%s\r\n", f[0], strings.ReplaceAll(f[1], "\n", "\r\n"))
			if err = m.WriteField(f[0], f[1]); err != nil {
				break
			}
		}
		if !errors.Is(err, tt.want) || m.End() != err {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		m = New(limits)
		m.Write([]byte(octets.String()))
		if err := m.End(); !errors.Is(err, tt.want) {
			t.Errorf("%s, as octets: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestTheBodyHashesAreBoundedForAllChecksTogether(t *testing.T) {
	for _, tt := range []struct{ limit, want int }{{0, 4}, {1, 1}, {-1, 8}} {
		m := New(Limits{BodyHashes: tt.limit})
		count := 0
		for n := range 2 {
			m.Attach(&probe{asks: func(m *Message) []*canon.Hash {
				for i := range 4 {
					length := int64(10*n + i)
					h := m.BodyHash(canon.Relaxed, length)
					if h == nil {
						continue
					}
					count++
					if h != m.BodyHash(canon.Relaxed, length) {
						t.Error("a hash that was made before counts again")
					}
				}
				return nil
			}})
		}
		m.End()
		if count != tt.want {
			t.Errorf("limit %d: %d hashes, want %d", tt.limit, count, tt.want)
		}
	}
}

func TestSelect(t *testing.T) {
	m := New(Limits{})
	m.Write([]byte("B: 1\r\nA: 1\r\nb : 2\r\nSig: x\r\nB: 3\r\nno colon\r\n\r\n"))
	m.End()
	for _, tt := range []struct {
		names string
		own   int
		want  []int
	}{
		{"a", 3, []int{1}},
		{"B:b:B", 3, []int{4, 2, 0}},
		{"b:b:b:b:b", 3, []int{4, 2, 0, OverSigned, OverSigned}},
		{"c:a:c:a", 3, []int{Absent, 1, Absent, OverSigned}},
		{"sig:SIG", 3, []int{Absent, Absent}},
		{"b:b:b", 4, []int{2, 0, OverSigned}},
		{"b:b:b", 2, []int{4, 0, OverSigned}},
		{"", 3, []int{Absent}},
		{"\u212a", 3, []int{Absent}},
	} {
		s := m.Select(strings.Split(tt.names, ":"), tt.own)
		if !slices.Equal(s.Fields, tt.want) {
			t.Errorf("%s, own field %d: %v, want %v", tt.names, tt.own, s.Fields, tt.want)
		}
		for i, signed := range s.Signed {
			if signed != slices.Contains(tt.want, i) {
				t.Errorf("%s: field %d signed %t", tt.names, i, signed)
			}
		}
	}
	if m.Above(4) != 2 || m.Above(2) != 0 || m.Above(0) != -1 || m.Above(1) != -1 {
		t.Error("Above is not the next field of the name")
	}
}

func TestHeaderHash(t *testing.T) {
	m := New(Limits{})
	m.Write([]byte("Sig: v=1; b=xyz\r\n ;\r\nB :  1\r\n\t2\r\na: 3\r\n\r\n"))
	m.End()
	s := m.Select([]string{"a", "x", "B", "b"}, 0)
	for form, want := range map[canon.Form]string{
		canon.Simple:  "a: 3\r\nB :  1\r\n\t2\r\nSig: v=1; b=\r\n ;",
		canon.Relaxed: "a:3\r\nb:1 2\r\nsig:v=1; b= ;",
	} {
		if m.HeaderHash(form, s, 0, []byte(" v=1; b=\r\n ;")) != sha256.Sum256([]byte(want)) {
			t.Errorf("form %d is not the hash of %q", form, want)
		}
	}
}

// Messages of all kinds through one pool are as each alone.
func TestAMessageFromAPoolIsAsNew(t *testing.T) {
	var pool Pool
	run := func(m *Message, fields [][2]string, octets string) string {
		p := &probe{asks: wholeBodies}
		m.Attach(p)
		for _, f := range fields {
			m.WriteField(f[0], f[1])
		}
		if fields != nil {
			m.EndHeader()
		}
		m.Write([]byte(octets))
		err := m.End()
		if p.calls == 0 {
			return fmt.Sprint(err)
		}
		s := m.Select([]string{"from", "from", "x"}, 1)
		return fmt.Sprint(err, p.calls, m.Header().Err, s.Fields, s.Signed, p.hashes[0].Sum(), p.hashes[1].Sum(),
			m.HeaderHash(canon.Relaxed, s, 1, []byte("x")), len(m.Buffer()))
	}
	filler := strings.Repeat("X-Filler: "+strings.Repeat("x", 500)+"\r\n", 300)
	unix := "From: a\nX: b\n\nbody\n"
	for range 2 {
		for i, tt := range []struct {
			limits Limits
			fields [][2]string
			octets string
		}{
			{Limits{}, nil, text}, {Limits{}, nil, unix}, {Limits{}, nil, text},
			{Limits{}, nil, filler + text}, {Limits{}, [][2]string{{"From", "a"}, {"x", "b"}}, "body"}, {Limits{}, nil, text},
			{Limits{Header: header.Limits{Fields: 1}}, nil, text}, {Limits{BodyHashes: 2}, nil, "X: 1\r\n  \r\nfrom: x\r\n\r\n"}, {Limits{}, nil, text},
			{Limits{Header: header.Limits{Fields: -1}}, nil, strings.Repeat("X: 1\r\n", 5000) + text}, {Limits{}, nil, unix},
		} {
			m := pool.Get(tt.limits)
			got, want := run(m, tt.fields, tt.octets), run(New(tt.limits), tt.fields, tt.octets)
			pool.Put(m)
			if got != want {
				t.Errorf("message %d: %s, want %s", i, got, want)
			}
		}
	}
}

func TestAPooledMessageKeepsNoLargeMemory(t *testing.T) {
	m := New(Limits{Header: header.Limits{Block: -1, Fields: -1, Field: -1}})
	m.Attach(&probe{})
	m.Write([]byte(strings.Repeat("X-Some-Name: "+strings.Repeat("x", 100)+"\r\n", 30_000) + "\r\n"))
	m.End()
	s := m.Select(slices.Repeat([]string{"x-some-name"}, 30_000), 0)
	m.HeaderHash(canon.Relaxed, s, 0, nil)
	m.reset()
	m.begin(Limits{})
	for what, octets := range map[string]int{
		"fields": m.header.Octets(), "index": m.index.Octets(), "selected fields": 8 * cap(s.Fields),
		"signed fields": cap(s.Signed), "slots": 4 * cap(s.next), "canonical header": cap(s.text),
	} {
		if octets > keptOctets {
			t.Errorf("%s: %d octets are kept", what, octets)
		}
	}
	if len(m.checks) != 0 || m.checks[:1][0] != nil {
		t.Error("a check is kept")
	}
}

func TestAMessageInTheMemoryOfAnotherAllocatesNothing(t *testing.T) {
	m := new(Message)
	p := &probe{asks: func(m *Message) []*canon.Hash { m.BodyHash(canon.Relaxed, canon.Whole); return nil }}
	names := []string{"from", "subject"}
	octets := []byte(text)
	if n := testing.AllocsPerRun(100, func() {
		m.begin(Limits{})
		m.Attach(p)
		m.Write(octets)
		m.HeaderHash(canon.Relaxed, m.Select(names, 0), 0, octets)
		m.Buffer()
		m.End()
		m.reset()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
