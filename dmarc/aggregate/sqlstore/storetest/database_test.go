package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/mailverdict/mailverdict/dmarc/aggregate/sqlstore"
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
	port int
	err  error
	stop func()
	n    int
}

// errAbsent says that PostgreSQL is not installed.
var errAbsent = errors.New("PostgreSQL is not here (Debian: postgresql)")

func postgres(t testing.TB) *database {
	t.Helper()
	cluster.Do(func() { cluster.port, cluster.stop, cluster.err = startCluster() })
	if errors.Is(cluster.err, errAbsent) {
		t.Skip(cluster.err)
	}
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	source := func(name string) string {
		return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", cluster.port, name)
	}
	admin, err := sql.Open("pgx", source("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	cluster.n++
	name := fmt.Sprintf("test%d", cluster.n)
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return &database{"PostgreSQL", sqlstore.PostgreSQL, "pgx", source(name)}
}

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		victim()
	}
	code := m.Run()
	if cluster.stop != nil {
		cluster.stop()
	}
	os.Exit(code)
}

// startCluster makes and starts a cluster in a temporary directory. PostgreSQL does not run as root:
// then it is the user postgres, whom Debian's package adds.
func startCluster() (port int, stop func(), err error) {
	initdb, server := program("initdb"), program("postgres")
	if initdb == "" || server == "" {
		return 0, nil, errAbsent
	}
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return 0, nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	credential, err := ordinaryUser(dir)
	if err != nil {
		remove()
		return 0, nil, err
	}
	data := filepath.Join(dir, "data")
	command := exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	command.Dir, command.SysProcAttr = dir, &syscall.SysProcAttr{Credential: credential}
	if out, err := command.CombinedOutput(); err != nil {
		remove()
		return 0, nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if port, err = freePort(); err != nil {
		remove()
		return 0, nil, err
	}
	command = exec.Command(server, "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir)
	command.Dir, command.SysProcAttr = dir, &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGQUIT}
	if err := command.Start(); err != nil {
		remove()
		return 0, nil, err
	}
	stop = func() {
		command.Process.Signal(syscall.SIGINT)
		command.Wait()
		remove()
	}
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
			db, _ := sql.Open("pgx", fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port))
			err = db.Ping()
			db.Close()
		}
		if err == nil {
			return port, stop, nil
		}
		if time.Since(start) > time.Minute {
			stop()
			return 0, nil, fmt.Errorf("PostgreSQL does not start: %w", err)
		}
	}
}

// program returns the path of a program of PostgreSQL, or "".
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// ordinaryUser returns whom the cluster runs as where this program is root, and gives him dir.
func ordinaryUser(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, errAbsent
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
