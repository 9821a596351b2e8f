package dbusapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// A link is a socket with a limit on every write. A write that fails leaves half a message
// behind, so it ends the link. godbus knows neither. What it writes and what we do are whole messages,
// one after the other. Of what comes after the handshake, the link takes plain calls itself, and godbus reads
// the rest.
type link struct {
	net.Conn
	in      *bufio.Reader
	timeout time.Duration
	writing sync.Mutex

	calls func(*call) // takes plain calls
	limit uint64      // on a message's size; 0: none
	only  bool        // nothing but method calls is let in
	begun bool        // the handshake is over
	left  uint64      // bytes of the present message that godbus has not read yet
}

func newLink(c net.Conn, timeout time.Duration) *link {
	return &link{Conn: c, in: bufio.NewReader(c), timeout: timeout, calls: func(*call) {}}
}

// deliver makes calls go to take. Nothing may have been read before.
func (l *link) deliver(take func(*call)) { l.calls = take }

const begin = "BEGIN\r\n" // the end of the handshake

func (l *link) Write(p []byte) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if !l.begun && string(p) == begin {
		l.begun = true
	}
	if err := l.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return 0, err
	}
	n, err := l.Conn.Write(p)
	if err != nil {
		_ = l.Close()
	}
	return n, err
}

func (l *link) Read(p []byte) (int, error) {
	if !l.begun {
		return l.in.Read(p)
	}
	for l.left == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	if uint64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.in.Read(p)
	l.left -= uint64(n)
	return n, err
}

// next takes the next message if it is a plain call; else it is let through, or left out.
func (l *link) next() error {
	head, err := l.in.Peek(16)
	if err != nil {
		return err
	}
	size, err := messageSize(head)
	switch {
	case err != nil:
		return err
	case l.limit > 0 && size > l.limit:
		return fmt.Errorf("a message of %d bytes is over the limit of %d", size, l.limit)
	case dbus.Type(head[1]) != dbus.TypeMethodCall && l.only:
		_, err = l.in.Discard(int(size)) //nolint:gosec // within the limit
		return err
	case dbus.Type(head[1]) == dbus.TypeMethodCall && size <= uint64(l.in.Size()):
		all, err := l.in.Peek(int(size)) //nolint:gosec // it fits the buffer
		if err != nil {
			return err
		}
		if k, ok := plainCall(all); ok {
			l.calls(k)
			_, err = l.in.Discard(len(all))
			return err
		}
	}
	l.left = size
	return nil
}

// maxMessage is the largest message that a client of the private socket may send: Validate
// takes 1 MiB, all else is small.
const maxMessage = 1<<20 + 4096

// A peerLink stands between godbus and a client whose handshake serverHandshake has done.
// godbus can only be the client of a handshake, so the link plays the server for it; after
// that it hands on method calls and drops everything else a client may send: godbus trusts
// signals that claim to come from the bus.
type peerLink struct {
	*link
	guid    string
	replies []byte // what godbus is still to read of its handshake
}

func newPeerLink(l *link, guid string) *peerLink {
	l.limit, l.only = maxMessage, true
	return &peerLink{link: l, guid: guid}
}

func (l *peerLink) Write(p []byte) (int, error) {
	if l.begun {
		return l.link.Write(p)
	}
	switch string(p) {
	case "\x00":
	case "AUTH\r\n":
		l.replies = append(l.replies, "REJECTED EXTERNAL\r\n"...)
	case begin:
		l.begun = true
	default: // AUTH EXTERNAL uid: the socket has said who it is
		l.replies = append(l.replies, "OK "+l.guid+"\r\n"...)
	}
	return len(p), nil
}

func (l *peerLink) Read(p []byte) (int, error) {
	if l.begun {
		return l.link.Read(p)
	}
	if len(l.replies) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.replies)
	l.replies = l.replies[n:]
	return n, nil
}

// messageSize is the size of the message with that fixed part of its header (D-Bus
// specification, "Message Format"): 12 bytes, the length of the header fields, these padded
// to 8, the body.
func messageSize(head []byte) (uint64, error) {
	var order binary.ByteOrder
	switch head[0] {
	case 'l':
		order = binary.LittleEndian
	case 'B':
		order = binary.BigEndian
	default:
		return 0, errors.New("this is not D-Bus")
	}
	body, fields := uint64(order.Uint32(head[4:])), uint64(order.Uint32(head[12:]))
	return 16 + (fields+7)&^7 + body, nil
}
