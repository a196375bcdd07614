// Package sqlstore keeps what was counted for aggregate reports in SQLite or PostgreSQL, until it is
// sent, and the reports that came in.
//
// A [Store] is the Store of an aggregate.Accumulator and the Queue of a send.Sender. It speaks
// database/sql; the program brings the driver, such as modernc.org/sqlite or pgx:
//
//	db, err := sql.Open("sqlite", "file:/var/lib/receiver/reports.db?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)")
//	store, err := sqlstore.Open(ctx, db, sqlstore.SQLite)
//	accumulator := aggregate.Accumulator{Store: store}
//
// SQLite needs a busy timeout, as above, where more than one program or goroutine writes. PostgreSQL
// is for several receivers that count into one database: all of them may count, and each of them may
// send.
//
// An [Inbox] keeps what others report, summed up by day and source, for those who read it: package
// rollout says what it means. Both may be in one database.
//
// # Exactness
//
// A batch is added in one transaction together with its ID. A program that is killed while it adds
// one has added all of it or nothing, and one that does not know gives the batch again. What was
// counted and not yet given is lost in a crash: that is at most what came in one Interval of the
// Accumulator.
//
// A report is closed once its period is over for some minutes. What is counted for the period later,
// by a receiver that had lost the database, becomes another report with an ID of its own.
//
// # Size
//
// What comes in is summed up by day and source: a year of 1,000 reports a day takes some 220 MB.
//
// A row that is counted takes about 500 octets. One report has at most MaxRows of them, however many domains somebody
// invents; messages that have no row are counted, and the report says how many there are. Prune
// deletes what is old; a Sender calls it once a day.
//
// # Speed
//
// Measured on two cores that others used too; the benchmarks of module storetest and of package
// aggregate repeat it. To count a message takes 0.7 µs where its row is there and 2.5 µs where it is
// new, and a row takes 176 octets of memory until it is stored. A second, SQLite takes 78,000 new rows
// or 80,000 that are there, PostgreSQL 55,000 or 39,000.
//
// A day of 10 million messages in 200,000 rows of 2,000 domains, flushed a hundred times to SQLite
// while the machine was eight times overloaded, took 233 s to count, 228 s to flush, and 30 s to write
// as 2,000 mails of 6.4 MB in all. Counting held 15 MB and writing next to nothing: a report of
// 200,000 rows is written row by row.
package sqlstore
