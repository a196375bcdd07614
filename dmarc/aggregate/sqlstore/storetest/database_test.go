package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
	"github.com/mailverdict/mailverdict/internal/realpostgres"
)

// A database is an empty one for one test.
type database struct {
	name    string
	dialect sqlstore.Dialect
	driver  string
	source  string
}

func (d *database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (d *database) store(t testing.TB) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), d.open(t), d.dialect)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onEach runs a test on each database.
func onEach(t *testing.T, f func(t *testing.T, d *database)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { f(t, sqlite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, postgres(t)) })
}

func sqlite(t testing.TB) *database {
	file := filepath.Join(t.TempDir(), "reports.db")
	return &database{"SQLite", sqlstore.SQLite, "sqlite", "file:" + file + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"}
}

// cluster is the PostgreSQL of all tests, started by the first one that needs it.
var cluster struct {
	sync.Once
	*realpostgres.Cluster
	err error
	n   int
}

func postgres(t testing.TB) *database {
	t.Helper()
	cluster.Do(func() { cluster.Cluster, cluster.err = realpostgres.Start() })
	if errors.Is(cluster.err, realpostgres.ErrAbsent) {
		t.Skip(cluster.err)
	}
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	cluster.n++
	url, err := cluster.Database(fmt.Sprintf("test%d", cluster.n))
	if err != nil {
		t.Fatal(err)
	}
	return &database{"PostgreSQL", sqlstore.PostgreSQL, "pgx", url}
}

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		victim()
	}
	code := m.Run()
	if cluster.Cluster != nil {
		cluster.Stop()
	}
	os.Exit(code)
}
