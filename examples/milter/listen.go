package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// splitAddress splits the address of a listener: "inet:ADDRESS:PORT" or "unix:/PATH" as Postfix writes
// them, "inet:PORT@ADDRESS" or "local:/PATH" as opendkim and Sendmail do, or "systemd".
func splitAddress(text string) (network, address string, err error) {
	if text == "systemd" {
		return "systemd", "", nil
	}
	network, address, _ = strings.Cut(text, ":")
	switch {
	case (network == "unix" || network == "local") && strings.HasPrefix(address, "/"):
		return "unix", address, nil
	case network == "inet":
		if port, host, ok := strings.Cut(address, "@"); ok {
			address = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		if _, port, err := net.SplitHostPort(address); err == nil && isPort(port) {
			return "tcp", address, nil
		}
	}
	return "", "", fmt.Errorf("%q is none of inet:ADDRESS:PORT, unix:/PATH and systemd", text)
}

// listen opens the sockets of one listener of the configuration.
func listen(c *config, text string) ([]net.Listener, error) {
	network, address, err := splitAddress(text)
	if err != nil {
		return nil, err
	}
	switch network {
	case "systemd":
		return systemdListeners()
	case "tcp":
		l, err := net.Listen("tcp", address)
		return []net.Listener{l}, err
	}
	l, err := listenUnix(c, address)
	return []net.Listener{l}, err
}

// listenUnix opens a socket in the file system. A socket that nobody listens on any more, as after
// kill -9, is replaced; one in use, or another kind of file, is an error. Until the mode is set, nobody else
// can connect.
func listenUnix(c *config, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if conn, err := net.Dial("unix", path); err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("listen unix %s: another program listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	mode, err := c.socketMode()
	if err != nil {
		return nil, err
	}
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, err
	}
	if c.SocketGroup != "" {
		err = chgrp(path, c.SocketGroup)
	}
	if err = errors.Join(err, os.Chmod(path, mode)); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func chgrp(path, group string) error {
	g, err := user.LookupGroup(group)
	if err != nil {
		return err
	}
	id, err := strconv.Atoi(g.Gid)
	if err != nil {
		return err
	}
	return os.Chown(path, -1, id)
}

// systemdListeners returns the sockets that systemd has opened: sd_listen_fds(3).
func systemdListeners() ([]net.Listener, error) {
	pid, _ := strconv.Atoi(os.Getenv("LISTEN_PID"))
	n, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if pid != os.Getpid() || n < 1 {
		return nil, errors.New("listen systemd: systemd has handed over no socket")
	}
	var all []net.Listener
	for fd := 3; fd < 3+n; fd++ {
		file := os.NewFile(uintptr(fd), "systemd socket")
		l, err := net.FileListener(file)
		_ = file.Close()
		if err != nil {
			return nil, fmt.Errorf("listen systemd: socket %d: %w", fd, err)
		}
		all = append(all, l)
	}
	return all, nil
}
