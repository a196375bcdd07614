package aggregate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
)

func TestAReportIsTheSameAfterJSON(t *testing.T) {
	whole := read(t, document)
	reports, _ := new(aggregate.Reader).Read(strings.NewReader(document[:len(document)-20] + "<"))
	for _, r := range []*aggregate.Report{whole, reports[0]} {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		value, err := json.Marshal(*r)
		if err != nil || string(value) != string(text) {
			t.Errorf("by value %s, by pointer %s", value, text)
		}
		back := new(aggregate.Report)
		if err := json.Unmarshal(text, back); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(back.Err) != fmt.Sprint(r.Err) || r.Err != nil && !errors.Is(back.Err, aggregate.ErrTruncated) {
			t.Errorf("error %v, want %v", back.Err, r.Err)
		}
		back.Err = r.Err
		if !reflect.DeepEqual(back, r) {
			t.Errorf("read back as\n%+v\nwant\n%+v", back, r)
		}
	}
}

func TestKeysOfReports(t *testing.T) {
	key := func(change func(r *aggregate.Report)) string {
		r := read(t, document)
		change(r)
		return r.Key()
	}
	same := key(func(r *aggregate.Report) {})
	if got := key(func(r *aggregate.Report) { r.Rows, r.Email = nil, "" }); got != same {
		t.Errorf("key %s, want %s", got, same)
	}
	seen := map[string]int{same: -1}
	for i, change := range []func(r *aggregate.Report){
		func(r *aggregate.Report) { r.Org = "" },
		func(r *aggregate.Report) { r.ID = "" },
		func(r *aggregate.Report) { r.Org, r.ID = `Receiver" "abc`, "" },
		func(r *aggregate.Report) { r.Policy.Domain = "" },
		func(r *aggregate.Report) { r.Begin = r.Begin.Add(time.Second) },
		func(r *aggregate.Report) { r.End = r.End.Add(time.Second) },
	} {
		k := key(change)
		if j, ok := seen[k]; ok {
			t.Errorf("%d and %d have one key: %s", i, j, k)
		}
		seen[k] = i
	}
}

func TestWhatAReporterWritesIsEscapedForPeople(t *testing.T) {
	r := read(t, with(t, "Receiver", "\x1b]0;x\u202e&#10;\n"+strings.Repeat("y", 1000)))
	r.Rows[0].HeaderFrom = "a\nb"
	r.Problems = nil
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("read", "report", r, "row", r.Rows[0])
	for _, text := range []string{r.String(), r.Rows[0].String(), strings.TrimSuffix(log.String(), "\n")} {
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' && c != '…' }) || len(text) > 1000 {
			t.Errorf("%q", text)
		}
	}
}

func TestSumsStayNumbers(t *testing.T) {
	r := &aggregate.Report{Rows: []aggregate.Row{{Count: math.MaxInt64}, {Count: 5}}}
	if r.Messages() != math.MaxInt64 {
		t.Errorf("%d messages", r.Messages())
	}
}

func TestOneLineSaysWhatAReportIs(t *testing.T) {
	r := read(t, document)
	if got, want := r.String(), "example.com by Receiver, 2025-01-01 00:00:00 to 2025-01-01 23:59:59: 7 messages in 1 rows"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r.Problems, r.Err = make([]aggregate.Problem, 2), aggregate.ErrTruncated
	if got, want := r.String(), ", 2 problems: the report ends too soon"; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	r := read(t, with(t, "<dkim>pass", strings.Repeat("<dkim>what</dkim>", 5000)+"<dkim>pass"))
	if n := len(r.Problems); n != 100 {
		t.Fatalf("%d problems", n)
	}
	if last := r.Problems[99].String(); last != "too-many: 4901 more problems are not listed" {
		t.Errorf("the last is %q", last)
	}
	signature := "<dkim><domain>a.example</domain><result>pass</result></dkim>"
	r = read(t, with(t, "<auth_results>", "<auth_results>"+strings.Repeat(signature, 200)))
	if n := len(r.Rows[0].AuthDKIM); n != 100 {
		t.Errorf("%d signatures", n)
	}
	if !hasProblem(r, aggregate.ProblemTooMany) {
		t.Errorf("problems %v", problems(r)[:1])
	}
}
