package storetest

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/mailverdict/mailverdict/dmarc/aggregate"
	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
)

// victimVariable tells a copy of this program which database to count into until it is killed.
const victimVariable = "STORETEST_VICTIM"

// victim counts without end, and prints before and after each flush how many messages it has given.
func victim() {
	dialect, _ := strconv.Atoi(os.Getenv("STORETEST_DIALECT"))
	db, err := sql.Open(os.Getenv("STORETEST_DRIVER"), os.Getenv(victimVariable))
	if err == nil {
		var s *sqlstore.Store
		if s, err = sqlstore.Open(context.Background(), db, sqlstore.Dialect(dialect)); err == nil {
			a := &aggregate.Accumulator{Store: s}
			for n := 1; err == nil; n++ {
				a.Add(result("one.example", n%2000, noon), aggregate.Delivery{})
				if n%1000 == 0 {
					fmt.Println("gives", n)
					err = a.Flush(context.Background())
					fmt.Println("gave", n)
				}
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A program that is killed in the middle of a flush loses what it had not flushed, and no more: the
// flush is there as a whole, or not at all.
func TestAProgramIsKilledInTheMiddleOfAFlush(t *testing.T) {
	onEach(t, func(t *testing.T, d *database) {
		s := d.store(t)
		a := &aggregate.Accumulator{Store: s} // another program, which lives on
		var least, most, own int64
		for round := range 6 {
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), victimVariable+"="+d.source, "STORETEST_DRIVER="+d.driver, fmt.Sprint("STORETEST_DIALECT=", int(d.dialect)))
			command.Stderr = os.Stderr
			out, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			given, taken := int64(0), int64(0)
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				var n int64
				if _, err := fmt.Sscanf(lines.Text(), "gives %d", &n); err == nil {
					given = n
					if n == int64(1000*(round+2)) {
						command.Process.Kill()
					}
				} else if _, err := fmt.Sscanf(lines.Text(), "gave %d", &n); err == nil {
					taken = n
				}
			}
			command.Wait()
			least, most = least+taken, most+given
			for range 100 {
				a.Add(result("one.example", 1, noon), aggregate.Delivery{})
				own++
			}
			flush(t, a)
		}
		got, _ := sum(t, s)
		if got -= own; got < least || got > most || got%1000 != 0 {
			t.Errorf("%d messages of those that were killed, want %d to %d in thousands", got, least, most)
		}
		t.Logf("%d messages; %d were acknowledged, %d given", got, least, most)
	})
}
