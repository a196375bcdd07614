// The server ends with the process that started it, which takes Linux.

package realpostgres

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ErrAbsent says that PostgreSQL is not installed.
var ErrAbsent = errors.New("PostgreSQL is not here (Debian: postgresql)")

// A Cluster is a running PostgreSQL.
type Cluster struct {
	dir        string
	port       string
	credential *syscall.Credential // whom its programs run as; nil for the user of this process
	server     *exec.Cmd
}

// Start makes a cluster in a temporary directory and starts it. PostgreSQL does not run as root: then it
// is the user postgres, whom Debian's package adds.
func Start() (*Cluster, error) {
	if program("initdb") == "" || program("postgres") == "" {
		return nil, ErrAbsent
	}
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir}
	if err := c.start(); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start() (err error) {
	if c.credential, err = ordinaryUser(c.dir); err != nil {
		return err
	}
	if c.port, err = freePort(); err != nil {
		return err
	}
	data := filepath.Join(c.dir, "data")
	if err := c.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"); err != nil {
		return err
	}
	// -F: the disk is not waited for, since the host does not crash within a test.
	c.server = c.command("postgres", "-F", "-D", data, "-h", "127.0.0.1", "-p", c.port, "-k", c.dir)
	c.server.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	if err := c.server.Start(); err != nil {
		c.server = nil
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := c.run("pg_isready", "-h", "127.0.0.1", "-p", c.port)
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("PostgreSQL does not start: %w", err)
		}
	}
}

// Database makes an empty database and returns its URL. Nothing but letters and digits may be in its name.
func (c *Cluster) Database(name string) (url string, err error) {
	if err := c.run("createdb", "-h", "127.0.0.1", "-p", c.port, "-U", "postgres", name); err != nil {
		return "", err
	}
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", c.port, name), nil
}

// Stop ends the cluster and removes it.
func (c *Cluster) Stop() {
	if c.server != nil {
		_ = c.server.Process.Signal(syscall.SIGINT)
		_ = c.server.Wait()
	}
	_ = os.RemoveAll(c.dir)
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(program(name), args...)
	command.Dir, command.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: c.credential}
	return command
}

func (c *Cluster) run(name string, args ...string) error {
	if out, err := c.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// program returns the path of a program of PostgreSQL, or "".
func program(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, _ := exec.LookPath(name)
	return path
}

// ordinaryUser returns whom the cluster runs as where this process is root, and gives him dir.
func ordinaryUser(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, ErrAbsent
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

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
