package client

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// An eager link spares a client the three round trips of the D-Bus authentication (D-Bus
// specification, "Authentication Protocol"): it says everything at once, together with the
// first message, and looks at the answer when it comes. godbus, which asks step by step, is
// answered by the link itself. One goroutine may read while another writes.
type eager struct {
	net.Conn
	in      *bufio.Reader
	replies []byte // what godbus is still to read of its handshake
	begun   bool   // godbus has had its handshake; what it writes now are messages
	greeted bool   // the handshake went out
	let     bool   // the other side let us in

	refusal atomic.Pointer[error] // why it did not; calls made after it did not hear it from godbus
}

func newEager(c net.Conn) *eager { return &eager{Conn: c, in: bufio.NewReader(c)} }

func (l *eager) Write(p []byte) (int, error) {
	if !l.begun {
		switch string(p) {
		case "\x00":
		case "AUTH\r\n":
			l.replies = append(l.replies, "REJECTED EXTERNAL\r\n"...)
		case "BEGIN\r\n":
			l.begun = true
		default: // AUTH EXTERNAL uid
			l.replies = append(l.replies, "OK 0\r\n"...)
		}
		return len(p), nil
	}
	if l.greeted {
		return l.Conn.Write(p)
	}
	l.greeted = true
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Getuid())))
	hello := "\x00AUTH EXTERNAL " + uid + "\r\nBEGIN\r\n"
	n, err := l.Conn.Write(append([]byte(hello), p...))
	return max(n-len(hello), 0), err
}

func (l *eager) Read(p []byte) (int, error) {
	if !l.begun {
		n := copy(p, l.replies)
		l.replies = l.replies[n:]
		return n, nil
	}
	if !l.let {
		line, err := l.in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if !strings.HasPrefix(line, "OK ") {
			err := fmt.Errorf("not let in: %q", strings.TrimSpace(line))
			l.refusal.Store(&err)
			return 0, err
		}
		l.let = true
	}
	return l.in.Read(p)
}
