package compare

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	sys "golang.org/x/sys/unix"

	"github.com/mailverdict/mailverdict/dmarc"
	"github.com/mailverdict/mailverdict/resolver"
)

var rounds = flag.Int("rounds", 0, "TestSpeed: rounds to measure in; 0 only sees that it works")

// TestSpeed makes the table of README's section Speed:
//
//	GOWORK=off go test -v -run TestSpeed -rounds 6
//
// In each round all who do a work take turns of less than a millisecond, for a second. What
// counts is the fastest turn of each: whatever else the machine does makes others slower. So
// the time of a garbage collection is in no figure; it is about one part in a hundred. Works
// that take longer than a turn are interrupted too often on a busy machine: for them it is the
// processor time, of the whole process, that is measured. The programs always give that.
//
// RSA takes up to three parts in a hundred more or less by where on the stack its numbers are,
// which is chance: all turns of Go come from another depth of the stack than the one before.
func TestSpeed(t *testing.T) {
	rows := speedRows(t)
	var programs []*program
	if *rounds > 0 {
		programs = startPrograms(t, rows)
	} else {
		rows = slices.DeleteFunc(rows, func(row speedRow) bool { return len(row.message) > 1<<20 })
	}
	turns := make([][][]float64, len(rows)) // by row and lane, in µs
	for i := range turns {
		turns[i] = make([][]float64, lanePrograms+len(programs))
	}
	for range max(1, *rounds) {
		for i, row := range rows {
			row.measure(t, programs, turns[i])
		}
	}
	fast := make([][]float64, len(rows))
	for i := range turns {
		for _, lane := range turns[i] {
			fast[i] = append(fast[i], fastest(lane))
		}
	}
	printTable(t, rows, programs, fast)
	printDay(rows, programs, fast)
	printScaling(t)
	d, _ := newDelivery(t, false, 4<<10)
	fmt.Printf("Allocations of \"%s\": %.0f from a Cache, %.0f with a resolver of the user's own.\n",
		wholeWork, allocations(t, pipelineOf(d, &resolver.Cache{Resolver: d.zone}), d.message), allocations(t, pipelineOf(d, ownResolver{d.zone}), d.message))
}

// The lanes of a row: these, and one for each program.
const (
	laneOurs = iota
	lanePeer
	laneBare
	lanePrograms
)

// measure adds to turns, by lane, how many µs the work took in each.
func (row speedRow) measure(t *testing.T, programs []*program, turns [][]float64) {
	count := make([]int, len(turns)) // times of the work in a turn
	message := newReader()
	start := time.Now()
	for turn := 0; count[0] == 0 || *rounds > 0 && time.Since(start) < time.Second; turn++ {
		for i := range turns {
			// There and back: a large message is in the caches of the processor where another
			// one of this process had it just before, and not after a program.
			lane := i
			if turn%2 == 1 {
				lane = len(turns) - 1 - i
			}
			if count[lane] < 0 {
				continue
			}
			n := max(1, count[lane])
			switch {
			case n > 1: // first once for the caches of the processor
				row.turn(lane, programs, message, 1, turn%depths)
			case lane < lanePrograms:
				runtime.GC() // that nobody pays for the garbage of another
			}
			took, err := row.turn(lane, programs, message, n, turn%depths)
			if errors.Is(err, errNotDone) {
				count[lane] = -1
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			each := float64(took.Nanoseconds()) / 1000 / float64(n)
			if count[lane] > 0 || *rounds == 0 { // the first turn only tells how long it takes
				turns[lane] = append(turns[lane], each)
			}
			const turn = 700 // µs
			count[lane] = max(1, int(turn/each))
		}
	}
}

// fastest returns the fastest turn, 0 if there are none.
func fastest(turns []float64) float64 {
	if len(turns) == 0 {
		return 0
	}
	return slices.Min(turns)
}

// turn does the work n times, from that depth of the stack, and returns how long it took.
func (row speedRow) turn(lane int, programs []*program, message *reader, n, depth int) (time.Duration, error) {
	if lane >= lanePrograms {
		return programs[lane-lanePrograms].time(row.word, n)
	}
	c := [...]contestant{row.ours, row.peer, row.bare}[lane]
	if c.run == nil {
		return 0, errNotDone
	}
	return atDepth(depth, func() (time.Duration, error) {
		start, processor := time.Now(), processorTime()
		for range n {
			if err := c.run(message.of(row.message)); err != nil {
				return 0, err
			}
		}
		if n == 1 {
			return processorTime() - processor, nil
		}
		return time.Since(start), nil
	})
}

// depths is how many depths of the stack there are turns from: those of 4 KiB.
const depths = 48

// atDepth calls f with so many calls more on the stack.
func atDepth(calls int, f func() (time.Duration, error)) (time.Duration, error) {
	var room [64]byte // part of 4 KiB
	if calls > 0 {
		took, err := atDepth(calls-1, f)
		runtime.KeepAlive(&room)
		return took, err
	}
	return f()
}

// processorTime returns that of this process so far.
func processorTime() time.Duration {
	var t sys.Timespec
	if err := sys.ClockGettime(sys.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

func printTable(t *testing.T, rows []speedRow, programs []*program, fast [][]float64) {
	head := "| work | bare crypto | ours | ours / bare | another in Go |"
	for _, p := range programs {
		head += " " + p.name + " |"
	}
	head += " allocations, ours / the other's |"
	fmt.Println(head)
	fmt.Println(strings.Repeat("|---", strings.Count(head, "|")-1) + "|")
	var alone []float64
	for i, row := range rows {
		us := fast[i]
		ratio := ""
		if us[laneBare] > 0 {
			ratio = fmt.Sprintf("%.2f", us[laneOurs]/us[laneBare])
		}
		line := fmt.Sprintf("| %s | %s | %s | %s | %s, %s |", row.name, micros(us[laneBare]), micros(us[laneOurs]), ratio, micros(us[lanePeer]), row.peer.name)
		for p := range programs {
			line += " " + micros(us[lanePrograms+p]) + " |"
		}
		fmt.Printf("%s %.0f / %.0f |\n", line, allocations(t, row.ours, row.message), allocations(t, row.peer, row.message))
		switch row.name {
		case aloneWork:
			alone = us
		case wholeWork:
			line := fmt.Sprintf("| the same over DKIM alone | | %s | | %s |", micros(us[laneOurs]-alone[laneOurs]), micros(us[lanePeer]-alone[lanePeer]))
			for p := range programs {
				line += " " + micros(max(0, us[lanePrograms+p]-alone[lanePrograms+p])) + " |"
			}
			fmt.Println(line + " |")
		}
	}
	fmt.Println("\nTimes in µs, or as said.")
}

// micros writes a time in µs, and nothing for a work that is not done.
func micros(us float64) string {
	switch {
	case us == 0:
		return ""
	case us >= 1000:
		return fmt.Sprintf("%.1f ms", us/1000)
	case us >= 10:
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.2f", us)
}

// printDay says what the whole of a message of 4 KiB is for many messages.
func printDay(rows []speedRow, programs []*program, fast [][]float64) {
	const messages = 100e6
	hours := func(us float64) string { return fmt.Sprintf("%.0f minutes", us*messages/1e6/60) }
	for i, row := range rows {
		if row.name != wholeWork {
			continue
		}
		text := fmt.Sprintf("100 million messages (%s) take one core %s: bare cryptography %s", wholeWork, hours(fast[i][laneOurs]), hours(fast[i][laneBare]))
		for p := range programs {
			if us := fast[i][lanePrograms+p]; us > 0 {
				text += ", " + programs[p].name + " " + hours(us)
			}
		}
		fmt.Println(text + ".")
	}
}

func pipelineOf(d delivery, r resolver.Resolver) contestant {
	return pipelineOurs(&dmarc.Verifier{Resolver: r}, d.session)
}

// allocations returns how many allocations a work takes, once what is kept is kept.
func allocations(t *testing.T, c contestant, octets []byte) float64 {
	message := newReader()
	runs := 200
	if len(octets) > 1<<20 {
		runs = 3
	}
	return testing.AllocsPerRun(runs, func() {
		if err := c.run(message.of(octets)); err != nil {
			t.Fatal(err)
		}
	})
}
