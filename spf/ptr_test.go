package spf_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailverdict/mailverdict/resolver"
	"github.com/mailverdict/mailverdict/spf"
)

// late are the records of a name whose questions are answered after a time.
func late(after time.Duration, r resolver.Records) resolver.Records {
	r.Fault.Delay = after
	return r
}

func TestAReverseZoneThatDoesNotAnswerDoesNotUseUpTheTimeOfTheCheck(t *testing.T) {
	const reverse = "1.2.0.192.in-addr.arpa"
	for _, test := range []struct {
		name    string
		record  string
		zone    resolver.Zone // besides
		limit   time.Duration
		timeout time.Duration // of the caller
		want    spf.Status
		after   time.Duration

		sequential time.Duration // after is that with Options.Sequential, if not the same
	}{
		{name: "ptr is no match after five seconds", record: "v=spf1 ptr -all",
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{})},
			want: spf.StatusFail, after: 5 * time.Second},
		{name: "the rest of the record is evaluated", record: "v=spf1 ptr a:near.example.com -all",
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{}), "near.example.com": late(time.Second, resolver.Records{A: []string{"192.0.2.1"}})},
			want: spf.StatusPass, after: 5 * time.Second, sequential: 6 * time.Second},
		{name: "a quarter of a shorter limit", record: "v=spf1 ptr -all", limit: 8 * time.Second,
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{})},
			want: spf.StatusFail, after: 2 * time.Second},
		{name: "five seconds without a limit", record: "v=spf1 ptr -all", limit: -1,
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{})},
			want: spf.StatusFail, after: 5 * time.Second},
		{name: "a quarter of what the caller has left", record: "v=spf1 ptr -all", timeout: 4 * time.Second,
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{})},
			want: spf.StatusFail, after: time.Second},
		{name: "the names of the address share the time", record: "v=spf1 ptr -all",
			zone: resolver.Zone{
				reverse:         {PTR: []string{"a.example.com", "b.example.com", "c.example.com"}},
				"a.example.com": late(time.Hour, resolver.Records{}),
				"b.example.com": late(time.Hour, resolver.Records{}),
				"c.example.com": late(time.Hour, resolver.Records{}),
			},
			want: spf.StatusFail, after: 5 * time.Second},
		{name: "a second ptr has no time of its own", record: "v=spf1 ptr ptr:example.org exists:%{p}.example.com -all",
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{})},
			want: spf.StatusFail, after: 5 * time.Second},
		{name: "%{p} is unknown", record: "v=spf1 exists:%{p}.example.com -all",
			zone: resolver.Zone{reverse: late(time.Hour, resolver.Records{}), "unknown.example.com": {A: []string{"127.0.0.2"}}},
			want: spf.StatusPass, after: 5 * time.Second},
		{name: "an answer in time counts", record: "v=spf1 ptr -all",
			zone: resolver.Zone{reverse: late(2*time.Second, resolver.Records{PTR: []string{"a.example.com"}}), "a.example.com": late(2*time.Second, resolver.Records{A: []string{"192.0.2.1"}})},
			want: spf.StatusPass, after: 4 * time.Second},
		{name: "a name has its whole time for another term", record: "v=spf1 ptr a:a.example.com -all",
			zone: resolver.Zone{reverse: {PTR: []string{"a.example.com"}}, "a.example.com": late(8*time.Second, resolver.Records{A: []string{"192.0.2.1"}})},
			want: spf.StatusPass, after: 8 * time.Second, sequential: 13 * time.Second}, // it is asked for anew
		{name: "even if it is not the first time that ptr gave it up", record: "v=spf1 ptr exists:%{p}.example.com a:a.example.com -all",
			zone: resolver.Zone{reverse: {PTR: []string{"a.example.com"}}, "a.example.com": late(8*time.Second, resolver.Records{A: []string{"192.0.2.1"}})},
			want: spf.StatusPass, after: 8 * time.Second, sequential: 13 * time.Second}, // it is asked for anew
	} {
		for _, sequential := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					zone := resolver.Zone{"example.com": late(time.Millisecond, resolver.Records{TXT: []string{test.record}})}
					for name, r := range test.zone {
						zone[name] = r
					}
					if test.timeout == 0 {
						test.timeout = 24 * time.Hour
					}
					ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
					defer cancel()
					began := time.Now()
					c := spf.Checker{Resolver: zone, Options: spf.Options{Sequential: sequential, Limits: spf.Limits{Time: test.limit}}}
					r := c.Check(ctx, client)
					after := test.after
					if sequential && test.sequential != 0 {
						after = test.sequential
					}
					took := time.Since(began).Truncate(100 * time.Millisecond)
					if r.Status != test.want || took != after {
						t.Errorf("sequential %t: got %v after %v, want %v after %v", sequential, r, took, test.want, after)
					}
				})
			})
		}
	}
}

func TestATimeLimitThatEndsInReverseDNSIsStillTempError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		zone := resolver.Zone{
			"example.com":            late(time.Millisecond, resolver.Records{TXT: []string{"v=spf1 ptr +all"}}),
			"1.2.0.192.in-addr.arpa": late(time.Hour, resolver.Records{}),
		}
		r := (&spf.Checker{Resolver: zone}).Check(ctx, client)
		if r.Status != spf.StatusTempError || !errors.Is(r.Err, spf.ErrCanceled) {
			t.Errorf("got %v", r)
		}
	})
}

func TestATraceSaysWhichQuestionsOfReverseDNSHadNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := resolver.Zone{
			"example.com":            late(time.Millisecond, resolver.Records{TXT: []string{"v=spf1 ptr -all"}}),
			"1.2.0.192.in-addr.arpa": {PTR: []string{"a.example.com", "b.example.com"}},
			"a.example.com":          late(time.Hour, resolver.Records{}),
			"b.example.com":          late(time.Hour, resolver.Records{}),
		}
		for _, sequential := range []bool{false, true} {
			c := spf.Checker{Resolver: zone, Options: spf.Options{Sequential: sequential, Trace: true}}
			answers := c.Check(t.Context(), client).Evaluation.Steps[0].Answers
			if len(answers) != 3 || !errors.Is(answers[1].Err, resolver.ErrTimeout) || !errors.Is(answers[2].Err, resolver.ErrTimeout) || answers[2].Question.Name != "b.example.com" {
				t.Errorf("sequential %t: got %v", sequential, answers)
			}
		}
	})
}
