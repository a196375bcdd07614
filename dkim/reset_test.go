package dkim

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/mailverdict/mailverdict/internal/header"
	"github.com/mailverdict/mailverdict/resolver"
)

// Messages of all kinds, one after the other through one Verification and each through one
// of its own: the results are the same, and stay what they were.
func TestAVerificationThatIsResetIsAsNew(t *testing.T) {
	good := signing{key: rsa2048(), s: "rsa"}.sign(signing{c: "simple/simple"}.sign(testMessage))
	long := signing{}.sign(strings.Repeat("X-Filler: "+strings.Repeat("x", 500)+"\r\n", 300) + testMessage)
	messages := []string{
		good, long, good,
		strings.ReplaceAll(good, "\r\n", "\n"), good,
		testMessage, good,
		"", "X: 1", good,
		strings.Replace(good, "Subject: ", "Subject: changed ", 1),
		strings.Repeat("X: 1\r\n", header.DefaultFields+1) + good, good,
	}
	v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
	again := v.Begin(context.Background())
	var kept, want [][]*Result
	for n, message := range messages {
		fresh := v.Begin(context.Background())
		fresh.Write([]byte(message))
		results, err := fresh.Finish()
		if n > 0 {
			again.Reset(context.Background(), v.Resolver)
		}
		again.Write([]byte(message))
		more, moreErr := again.Finish()
		if !reflect.DeepEqual(more, results) || (err == nil) != (moreErr == nil) {
			t.Errorf("message %d: %v, %v after Reset, %v, %v at first", n, more, moreErr, results, err)
		}
		block, ok := fresh.Header()
		if same, had := again.Header(); string(same) != string(block) || had != ok {
			t.Errorf("message %d: another header after Reset: %.80q, want %.80q", n, same, block)
		}
		kept, want = append(kept, more), append(want, results)
	}
	if !reflect.DeepEqual(kept, want) {
		t.Error("results changed with the messages after them")
	}
}

func TestResetGivesUpAMessageThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := resolver.Zone{"s1._domainkey.example.com": {TXT: []string{ed().record()}, Fault: resolver.Fault{Delay: time.Hour}}}
		v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
		message := []byte(signing{}.sign(testMessage))
		start := time.Now()
		w := v.BeginWith(context.Background(), slow)
		w.Write(message)
		w.Reset(context.Background(), v.Resolver)
		w.Write(message)
		if results, err := w.Finish(); err != nil || len(results) != 1 || results[0].Status != StatusPass {
			t.Errorf("%v, %v", results, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w.Reset(ctx, v.Resolver)
		if _, err := w.Write(message); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v after a context that ended", err)
		}
		w.Reset(context.Background(), v.Resolver)
		w.Write(message)
		if results, err := w.Finish(); err != nil || len(results) != 1 || results[0].Status != StatusPass {
			t.Errorf("after it %v, %v", results, err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// plain hides that a resolver has the answers in memory.
type plain struct{ resolver.Resolver }

func TestNothingOfTheCallersIsKept(t *testing.T) {
	v := Verifier{Resolver: plain{testZone()}, Options: Options{Now: func() time.Time { return testNow }}}
	message := signing{}.sign(testMessage)
	var results []*Result
	value := func() weak.Pointer[[64]byte] {
		value := new([64]byte)
		ctx := context.WithValue(context.Background(), plain{}, value)
		var err error
		if results, err = v.Verify(ctx, strings.NewReader(message)); err != nil || results[0].Status != StatusPass {
			t.Fatal(results, err)
		}
		return weak.Make(value)
	}()
	runtime.GC()
	if value.Value() != nil {
		t.Error("the context of a message lives on after it")
	}
	runtime.KeepAlive(&v)
	runtime.KeepAlive(results)
}

// A result may be kept for long. What the message was verified with is not kept with it.
func TestAResultKeepsNoHash(t *testing.T) {
	var result *Result
	hash := func() weak.Pointer[bodyHash] {
		v := Verifier{Resolver: testZone(), Options: Options{Now: func() time.Time { return testNow }}}
		w := v.Begin(context.Background())
		w.Write([]byte(signing{}.sign(testMessage)))
		hash := weak.Make(w.hashes[0])
		results, err := w.Finish()
		if err != nil || results[0].Status != StatusPass {
			t.Fatal(results, err)
		}
		result = results[0]
		return hash
	}()
	for range 3 { // a pool keeps what it has over two
		runtime.GC()
	}
	if hash.Value() != nil {
		t.Error("the result keeps the hash of the body")
	}
	runtime.KeepAlive(result)
}
