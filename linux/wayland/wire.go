//go:build linux

package wayland

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The wire format: messages of 32-bit words in the machine's order. The first is the object,
// the second has the length in bytes above the opcode.
const (
	headerSize = 8
	maxMessage = 1<<16 - 1
)

var order = binary.NativeEndian

var errMalformed = errors.New("the compositor sends nonsense")

// message is one event.
type message struct {
	object uint32
	opcode uint16
	body   []byte
}

// cut takes the first message off b. Without one that is whole, ok is false.
func cut(b []byte) (m message, rest []byte, ok bool, err error) {
	if len(b) < headerSize {
		return m, b, false, nil
	}
	word := order.Uint32(b[4:])
	size := int(word >> 16)
	if size < headerSize || size%4 != 0 {
		return m, b, false, fmt.Errorf("%w: a message of %d bytes", errMalformed, size)
	}
	if len(b) < size {
		return m, b, false, nil
	}
	return message{object: order.Uint32(b), opcode: uint16(word), body: b[headerSize:size]}, b[size:], true, nil
}

// Args are the arguments of an event, read one after the other. What is not there reads as
// nothing, and the connection ends.
type Args struct {
	object uint32 // whose event it is
	body   []byte
	fds    *[]int
	bad    bool
}

// Uint is an unsigned number, or an object.
func (a *Args) Uint() uint32 {
	if len(a.body) < 4 {
		a.bad = true
		return 0
	}
	v := order.Uint32(a.body)
	a.body = a.body[4:]
	return v
}

// Int is a number.
func (a *Args) Int() int32 { return int32(a.Uint()) }

// Array is what an array has. It is good as long as the handler runs.
func (a *Args) Array() []byte {
	n := uint64(a.Uint())
	padded := (n + 3) &^ 3
	if padded > uint64(len(a.body)) {
		a.bad = true
		return nil
	}
	v := a.body[:n]
	a.body = a.body[padded:]
	return v
}

// String is a text.
func (a *Args) String() string {
	v := a.Array()
	if len(v) == 0 {
		return ""
	}
	return string(v[:len(v)-1]) // a zero ends it
}

// FD is a file descriptor, the handler's to close; -1 if none came.
func (a *Args) FD() int {
	if a.fds == nil || len(*a.fds) == 0 {
		a.bad = true
		return -1
	}
	fd := (*a.fds)[0]
	*a.fds = (*a.fds)[1:]
	return fd
}

// Append adds a request without texts to b.
func Append(b []byte, object uint32, opcode uint16, args ...uint32) []byte {
	b = order.AppendUint32(b, object)
	b = order.AppendUint32(b, uint32(headerSize+4*len(args))<<16|uint32(opcode))
	for _, a := range args {
		b = order.AppendUint32(b, a)
	}
	return b
}

// appendString adds a text to the request that begins at from.
func appendString(b []byte, from int, s string) []byte {
	b = order.AppendUint32(b, uint32(len(s)+1))
	b = append(b, s...)
	b = append(b, 0)
	for (len(b)-from)%4 != 0 {
		b = append(b, 0)
	}
	return fit(b, from)
}

// fit writes the length of the request that begins at from and has grown.
func fit(b []byte, from int) []byte {
	opcode := order.Uint32(b[from+4:]) & 0xffff
	order.PutUint32(b[from+4:], uint32(len(b)-from)<<16|opcode)
	return b
}

// Fixed is a number of pixels as requests have it: 24.8.
func Fixed(n int32) uint32 { return uint32(n * 256) }
