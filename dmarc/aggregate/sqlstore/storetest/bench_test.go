package storetest

import (
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/send"
)

func eachDatabase(b *testing.B, f func(b *testing.B, d *database)) {
	b.Run("SQLite", func(b *testing.B) { f(b, sqlite(b)) })
	b.Run("PostgreSQL", func(b *testing.B) { f(b, postgres(b)) })
}

// BenchmarkFlush says how many rows a second are added: new ones, and ones that are there.
func BenchmarkFlush(b *testing.B) {
	const rows = 20_000
	eachDatabase(b, func(b *testing.B, d *database) {
		for _, name := range []string{"new", "again"} {
			b.Run(name, func(b *testing.B) {
				s := d.store(b)
				a := &aggregate.Accumulator{Store: s}
				fill := func(day int) {
					for i := range rows {
						a.Add(result(domainOf(i%50), i, noon.AddDate(0, 0, day)), aggregate.Delivery{})
					}
				}
				if name == "again" {
					fill(0)
					flush(b, a)
				}
				day := 0
				for b.Loop() {
					b.StopTimer()
					if name == "new" {
						day++
					}
					fill(day)
					b.StartTimer()
					flush(b, a)
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	})
}

// BenchmarkDay counts the 10 million messages of a day, which are of 200,000 rows of 2,000 domains,
// flushes them a hundred times, and makes the mails of all reports.
func BenchmarkDay(b *testing.B) {
	const messages, rows, domains = 10_000_000, 200_000, 2_000
	eachDatabase(b, func(b *testing.B, d *database) {
		var results []*dmarc.Result
		for i := range rows {
			results = append(results, result(domainOf(i%domains), i, noon))
		}
		base := heap()
		for b.Loop() {
			s := d.store(b)
			var flushing, counting time.Duration
			a := &aggregate.Accumulator{Store: s}
			random := rand.New(rand.NewPCG(1, 2))
			zipf := rand.NewZipf(random, 1.05, 100, rows-1)
			peak := uint64(0)
			start := time.Now()
			for i := range messages {
				n := int(zipf.Uint64())
				if i < rows {
					n = i
				}
				a.Add(results[n], aggregate.Delivery{})
				if i%100_000 == 99_999 {
					counting += time.Since(start)
					peak = max(peak, heap())
					start = time.Now()
					flush(b, a)
					flushing += time.Since(start)
					start = time.Now()
				}
			}
			b.ReportMetric(counting.Seconds(), "s-count")
			b.ReportMetric(flushing.Seconds(), "s-flush")
			b.ReportMetric(float64((peak-min(base, peak))>>20), "MB-count")
			write(b, d)
		}
	})
}

// write makes the mails of all reports, and says how long that takes and what it holds.
func write(b *testing.B, d *database) {
	s := d.store(b)
	ctx := context.Background()
	base := heap()
	start := time.Now()
	if err := s.Close(ctx, tomorrow, soon); err != nil {
		b.Fatal(err)
	}
	octets, mails, peak := 0, 0, uint64(0)
	for {
		task, err := s.Claim(ctx, noon, 24*time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		if task == nil {
			break
		}
		r := *task.Report
		r.Org, r.Email = "Receiver", "dmarc@receiver.example"
		m := aggregate.Mail{Report: &r, Rows: s.Rows(ctx, task), Submitter: "receiver.example", From: "dmarc@receiver.example", To: []string{task.Address}, Date: noon}
		text, err := m.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		octets += len(text)
		if mails++; mails%200 == 0 {
			peak = max(peak, heap())
		}
		task.State = send.StateSent
		if err := s.Settle(ctx, task); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(time.Since(start).Seconds(), "s-write")
	b.ReportMetric(float64(peak-min(base, peak))/(1<<20), "MB-write")
	b.ReportMetric(float64(octets)/(1<<20), "MB-mails")
	b.ReportMetric(float64(mails), "mails")
}

// BenchmarkWriteLarge writes one report of 200,000 rows.
func BenchmarkWriteLarge(b *testing.B) {
	const rows = 200_000
	s := sqlite(b).store(b)
	a := &aggregate.Accumulator{Store: s, MaxRows: -1}
	for i := range rows {
		a.Add(result("large.example", i, noon), aggregate.Delivery{})
	}
	flush(b, a)
	task := pendingTask(b, s)
	r := *task.Report
	r.Org, r.Email = "Receiver", "dmarc@receiver.example"
	base := heap()
	for b.Loop() {
		n := 0
		peak := uint64(0)
		err := r.WriteXML(io.Discard, func(yield func(aggregate.Row, error) bool) {
			for row, err := range s.Rows(context.Background(), task) {
				if n++; n%20_000 == 0 {
					peak = max(peak, heap())
				}
				if !yield(row, err) {
					return
				}
			}
		})
		if err != nil || n != rows {
			b.Fatal(n, err)
		}
		b.ReportMetric(float64(peak-min(base, peak))/(1<<20), "MB")
	}
}

func pendingTask(b *testing.B, q send.Queue) *send.Task {
	for task, err := range q.Pending(context.Background(), tomorrow) {
		if err != nil {
			b.Fatal(err)
		}
		return task
	}
	b.Fatal("nothing is pending")
	return nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
