package main

import (
	"net"
	"syscall"
)

// quickAck has the kernel acknowledge what was received at once, until the next delay that it finds
// reasonable. Postfix does not set TCP_NODELAY: without this, each small packet that follows another
// waits 40 ms for the acknowledgement. Unix sockets need nothing.
func quickAck(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
}
