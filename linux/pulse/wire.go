//go:build linux

package pulse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// From PulseAudio's pulsecore/native-common.h and pstream.c.
const (
	descriptorSize = 20 // length, channel, offset (64 bit), flags
	controlChannel = 0xFFFFFFFF
	headSize       = 10 // of a control packet: 'L' command 'L' tag

	commandError     = 0
	commandReply     = 2
	commandSubscribe = 66 // an event

	maxPacket = 4 << 20 // a list of a thousand streams is below it
)

// wire is a connection as the protocol library may see it. The library reads in a goroutine
// that nobody can guard: it must get packets whole, of the commands that it is asked to know,
// and an end that it takes for one. Writes are bounded in time.
type wire struct {
	net.Conn
	in      *bufio.Reader
	timeout time.Duration
	packet  []byte // what is left of the present one
	buffer  []byte
}

func newWire(c net.Conn, timeout time.Duration) *wire {
	return &wire{Conn: c, in: bufio.NewReader(c), timeout: timeout}
}

// Read ends with io.EOF, whatever the reason.
func (w *wire) Read(p []byte) (int, error) {
	for len(w.packet) == 0 {
		if err := w.next(); err != nil {
			return 0, io.EOF
		}
	}
	n := copy(p, w.packet)
	w.packet = w.packet[n:]
	return n, nil
}

// next reads a packet and leaves it in w.packet if it is for the library.
func (w *wire) next() error {
	var head [descriptorSize]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[0:])
	if size > maxPacket {
		return fmt.Errorf("a packet of %d bytes", size)
	}
	if binary.BigEndian.Uint32(head[4:]) != controlChannel {
		_, err := w.in.Discard(int(size))
		return err
	}
	if need := descriptorSize + int(size); cap(w.buffer) < need {
		w.buffer = make([]byte, need)
	}
	packet := w.buffer[:descriptorSize+int(size)]
	copy(packet, head[:])
	if _, err := io.ReadFull(w.in, packet[descriptorSize:]); err != nil {
		return err
	}
	if size < headSize || packet[descriptorSize] != 'L' || packet[descriptorSize+5] != 'L' {
		return errors.New("this is not PulseAudio")
	}
	switch binary.BigEndian.Uint32(packet[descriptorSize+1:]) {
	case commandError, commandReply, commandSubscribe:
		if !wellFormed(packet[descriptorSize+headSize:]) {
			return errors.New("a broken packet")
		}
		w.packet = packet
	}
	return nil
}

func (w *wire) Write(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		_ = w.Close() // half a packet is out: nothing can follow
	}
	return n, err
}

// sizes of the values of a packet, by tag (pulsecore/tagstruct.h), where they are fixed.
var sizes = [256]int8{
	'N': 1, 'L': 5, 'B': 2, 'R': 9, 'r': 9, 'a': 7, '1': 1, '0': 1, 'T': 9, 'U': 9, 'V': 5,
}

// wellFormed says whether a packet consists of whole values.
func wellFormed(b []byte) bool {
	for len(b) > 0 {
		n := valueSize(b)
		if n <= 0 || n > len(b) {
			return false
		}
		b = b[n:]
	}
	return true
}

// valueSize is the size of the first value of b with its tag, or not positive for what is none.
func valueSize(b []byte) int {
	switch tag := b[0]; tag {
	case 't':
		return textSize(b)
	case 'x':
		return arbitrarySize(b)
	case 'm', 'v':
		if len(b) < 2 {
			return 0
		}
		each := 1
		if tag == 'v' {
			each = 4
		}
		return 2 + each*int(b[1])
	case 'P':
		return propertiesSize(b)
	case 'f':
		if len(b) < 4 || b[1] != 'B' || b[3] != 'P' {
			return 0
		}
		n := propertiesSize(b[3:])
		if n <= 0 {
			return 0
		}
		return 3 + n
	default:
		return int(sizes[tag])
	}
}

// textSize is the size of a string that ends with a zero.
func textSize(b []byte) int {
	for i, c := range b {
		if c == 0 {
			return i + 1
		}
	}
	return 0
}

func arbitrarySize(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := binary.BigEndian.Uint32(b[1:])
	if n > maxPacket {
		return 0
	}
	return 5 + int(n)
}

// propertiesSize is the size of a list: key, length and value of each, and an 'N'.
func propertiesSize(b []byte) int {
	at := 1
	for at < len(b) {
		if b[at] == 'N' {
			return at + 1
		}
		if b[at] != 't' {
			return 0
		}
		n := textSize(b[at:])
		if n == 0 {
			return 0
		}
		at += n
		if len(b)-at < 10 || b[at] != 'L' || b[at+5] != 'x' || [4]byte(b[at+1:]) != [4]byte(b[at+6:]) {
			return 0
		}
		n = arbitrarySize(b[at+5:])
		if n == 0 || n > len(b)-at-5 {
			return 0
		}
		at += 5 + n
	}
	return 0
}
