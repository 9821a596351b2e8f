//go:build linux

package wayland

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// answerWithin is how long a compositor may take to answer, or to read what we send: on a busy
// machine it needs its time for a keymap.
const answerWithin = 5 * time.Second

// maxFDs is how many file descriptors one read takes. libwayland sends no more at once.
const maxFDs = 28

// The objects that every client has, and their opcodes.
const (
	display = 1

	displaySync        = 0
	displayGetRegistry = 1
	displayError       = 0
	displayDeleteID    = 1

	registryBind         = 0
	registryGlobal       = 0
	registryGlobalRemove = 1
)

// A Global is something that the compositor offers.
type Global struct {
	Name      uint32 // its number
	Interface string
	Version   uint32
}

// A Handler gets the events of an object. It runs in the connection's own goroutine, so it must
// not wait for an answer.
type Handler func(opcode uint16, a *Args)

// A Conn is a connection to a compositor. Its methods may be called from anywhere.
type Conn struct {
	socket   *net.UnixConn
	registry uint32
	done     chan struct{}
	err      error // once done is closed

	writing sync.Mutex

	mu       sync.Mutex
	handlers map[uint32]Handler
	next     uint32
	free     []uint32 // ids that the compositor has done with
	globals  []Global
	watch    func(g Global, there bool)
}

// Dial connects to the compositor that listens at path, and returns when it has said what it
// offers.
func Dial(ctx context.Context, path string) (*Conn, error) {
	var d net.Dialer
	dialing, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s, err := d.DialContext(dialing, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the compositor: %w", err)
	}
	c := newConn(s.(*net.UnixConn)) //nolint:forcetypeassert // that is what unix gives
	err = c.write(Append(nil, display, displayGetRegistry, c.registry))
	if err == nil {
		err = c.Sync(ctx)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("cannot reach the compositor: %w", err)
	}
	return c, nil
}

func newConn(s *net.UnixConn) *Conn {
	c := &Conn{socket: s, done: make(chan struct{}), handlers: map[uint32]Handler{}, next: display + 1}
	c.On(display, func(opcode uint16, a *Args) {
		switch opcode {
		case displayError:
			object, code, why := a.Uint(), a.Uint(), a.String()
			_ = c.fail(fmt.Errorf("the compositor refuses object %d: %s (%d)", object, why, code))
		case displayDeleteID:
			id := a.Uint()
			c.mu.Lock()
			delete(c.handlers, id)
			if id > display && id < c.next {
				c.free = append(c.free, id)
			}
			c.mu.Unlock()
		}
	})
	c.registry = c.newID(c.announced)
	go c.read()
	return c
}

// announced takes in what the compositor offers.
func (c *Conn) announced(opcode uint16, a *Args) {
	g := Global{Name: a.Uint()}
	there := opcode == registryGlobal
	if there {
		g.Interface, g.Version = a.String(), a.Uint()
	}
	c.mu.Lock()
	if there {
		c.globals = append(c.globals, g)
	} else {
		for i := range c.globals {
			if c.globals[i].Name == g.Name {
				g = c.globals[i]
				c.globals = append(c.globals[:i:i], c.globals[i+1:]...)
				break
			}
		}
	}
	watch := c.watch
	c.mu.Unlock()
	if watch != nil {
		watch(g, there)
	}
}

// Globals are what the compositor offers now.
func (c *Conn) Globals() []Global {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Global(nil), c.globals...)
}

// Watch has what the compositor offers, and whatever comes and goes, told to f: first from here,
// then as a Handler is.
func (c *Conn) Watch(f func(g Global, there bool)) {
	c.mu.Lock()
	now := append([]Global(nil), c.globals...)
	c.watch = f
	c.mu.Unlock()
	for _, g := range now {
		f(g, true)
	}
}

// Find is what the compositor offers of an interface first.
func (c *Conn) Find(name string) (Global, bool) {
	for _, g := range c.Globals() {
		if g.Interface == name {
			return g, true
		}
	}
	return Global{}, false
}

// Bind makes an object of what is offered, of at most that version.
func (c *Conn) Bind(g Global, version uint32, h Handler) (uint32, error) {
	return c.Create(h, func(id uint32) []byte {
		b := Append(nil, c.registry, registryBind, g.Name)
		b = appendString(b, 0, g.Interface)
		b = order.AppendUint32(b, min(version, g.Version))
		return fit(order.AppendUint32(b, id), 0)
	})
}

// Create sends requests that make an object, which is told the id. Its events go to h, which may be nil.
// Compositors take new ids in their order only, so nobody else makes one meanwhile.
func (c *Conn) Create(h Handler, requests func(id uint32) []byte) (uint32, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	id := c.newID(h)
	return id, c.send(requests(id))
}

// newID is the id of a new object. Whoever takes one is the one who writes.
func (c *Conn) newID(h Handler) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var id uint32
	if n := len(c.free); n > 0 {
		id, c.free = c.free[n-1], c.free[:n-1]
	} else {
		id = c.next
		c.next++
	}
	c.handlers[id] = h
	return id
}

// On has the events of an object, one that the compositor made, go to h.
func (c *Conn) On(id uint32, h Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers[id] = h
}

// Send sends requests, made by Append, that make no objects, with the file descriptors that they carry.
func (c *Conn) Send(b []byte, fds ...int) error { return c.write(b, fds...) }

func (c *Conn) write(b []byte, fds ...int) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.send(b, fds...)
}

// send is write for who has the lock.
func (c *Conn) send(b []byte, fds ...int) error {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	// A compositor that does not read for so long has us lost, and half a request is worse than none.
	if err := c.socket.SetWriteDeadline(time.Now().Add(answerWithin)); err != nil {
		return c.fail(err)
	}
	for len(b) > 0 {
		n, _, err := c.socket.WriteMsgUnix(b, oob, nil)
		if err != nil {
			return c.fail(err)
		}
		b, oob = b[n:], nil
	}
	return nil
}

// Sync returns when the compositor has done all that was asked of it before.
func (c *Conn) Sync(ctx context.Context) error {
	did := make(chan struct{})
	var once sync.Once
	_, err := c.Create(func(uint16, *Args) { once.Do(func() { close(did) }) }, func(id uint32) []byte {
		return Append(nil, display, displaySync, id)
	})
	if err != nil {
		return err
	}
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	select {
	case <-did:
		return nil
	case <-c.done:
		return c.err
	case <-late.C:
		return c.fail(errors.New("the compositor does not answer"))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Close ends the connection. The compositor lets go of what our devices hold.
func (c *Conn) Close() {
	c.fail(net.ErrClosed) //nolint:errcheck // it is the reason
	<-c.done
}

// fail ends the connection for a reason, and returns it.
func (c *Conn) fail(why error) error {
	c.mu.Lock()
	if c.err == nil {
		c.err = why
	}
	c.mu.Unlock()
	_ = c.socket.Close()
	return why
}

// read hands events to their handlers until the connection ends.
func (c *Conn) read() {
	defer close(c.done)
	var (
		pending []byte
		fds     []int
		buf     = make([]byte, maxMessage)
		oob     = make([]byte, unix.CmsgSpace(maxFDs*4))
	)
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	for {
		n, oobn, _, _, err := c.socket.ReadMsgUnix(buf, oob)
		fds = append(fds, received(oob[:oobn])...)
		if errors.Is(err, io.EOF) {
			err = errors.New("the compositor has ended")
		}
		if err != nil {
			_ = c.fail(err)
			return
		}
		pending = append(pending, buf[:n]...)
		rest := pending
		for {
			m, r, ok, err := cut(rest)
			if err == nil && ok {
				err = c.handle(m, &fds)
			}
			if err != nil {
				_ = c.fail(err)
				return
			}
			if !ok {
				break
			}
			rest = r
		}
		pending = append(pending[:0], rest...)
	}
}

func (c *Conn) handle(m message, fds *[]int) error {
	c.mu.Lock()
	h := c.handlers[m.object]
	c.mu.Unlock()
	if h == nil {
		return nil
	}
	a := Args{object: m.object, body: m.body, fds: fds}
	h(m.opcode, &a)
	if a.bad {
		return fmt.Errorf("%w: event %d of object %d", errMalformed, m.opcode, m.object)
	}
	return nil
}

// received are the file descriptors that came along.
func received(oob []byte) []int {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	var all []int
	for i := range messages {
		if fds, err := syscall.ParseUnixRights(&messages[i]); err == nil {
			all = append(all, fds...)
		}
	}
	return all
}

// readFD reads what a file descriptor holds, size bytes at most max, and closes it.
func readFD(fd int, size, most uint32) ([]byte, error) {
	f := os.NewFile(uintptr(fd), "keymap")
	if f == nil {
		return nil, errMalformed
	}
	defer f.Close() //nolint:errcheck // nothing was written
	if size > most {
		return nil, fmt.Errorf("%w: %d bytes at once", errMalformed, size)
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if n < len(b) && err != nil {
		return nil, err
	}
	return b, nil
}
