//go:build linux

package alsaseq

import (
	"errors"
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// device is an open /dev/snd/seq; tests have one of their own.
type device interface {
	// Read waits for events. It returns unix.ENOSPC after the kernel threw them away.
	Read(b []byte) (int, error)
	// Write never waits.
	Write(b []byte) (int, error)
	ioctl(request uintptr, arg unsafe.Pointer) error
	// Close ends a Read under way.
	Close() error
}

// file is the real device.
type file struct {
	*os.File
	raw     syscall.RawConn
	reading reading
	attempt func(fd uintptr) bool // reading.attempt, made once: to make it allocates
}

// reading is a Read under way.
type reading struct {
	b     []byte
	n     int
	errno syscall.Errno
}

func openFile(path string) (device, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path) // non-blocking, so reads wait in the runtime's poller
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d := &file{File: f, raw: raw}
	d.attempt = d.reading.attempt
	return d, nil
}

// Read waits in the poller. It is for one goroutine at a time.
func (f *file) Read(b []byte) (int, error) {
	f.reading.b = b
	err := f.raw.Read(f.attempt)
	switch {
	case err != nil:
		return 0, err
	case f.reading.errno != 0:
		return 0, f.reading.errno
	case f.reading.n == 0:
		return 0, io.EOF
	}
	return f.reading.n, nil
}

// attempt reads past Go's scheduler; false means that there is nothing yet. The kernel copies
// what there is and never waits, but the scheduler readies itself for a wait whenever it is
// told of a system call, and wakes a thread to watch over it: more work than the read.
func (r *reading) attempt(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(r.b))), uintptr(len(r.b)))
		if r.n, r.errno = int(n), errno; errno != unix.EINTR {
			return errno != unix.EAGAIN
		}
	}
}

// Write goes past the poller: a full queue is the receiver's trouble and an error at once,
// never a wait.
func (f *file) Write(b []byte) (n int, err error) {
	if e := f.raw.Control(func(fd uintptr) { n, err = unix.Write(int(fd), b) }); e != nil {
		return 0, e
	}
	return n, err
}

func (f *file) ioctl(request uintptr, arg unsafe.Pointer) error {
	errno := unix.EINTR
	for errno == unix.EINTR {
		err := f.raw.Control(func(fd uintptr) {
			_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
		})
		if err != nil {
			return err
		}
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// client is one client of the sequencer.
type client struct {
	device
	id uint8
}

// newClient names the client and lets through only the given types of event.
func newClient(dev device, name string, events ...byte) (*client, error) {
	var id int32
	if err := dev.ioctl(ioClientID, unsafe.Pointer(&id)); err != nil {
		return nil, err
	}
	c := &client{dev, uint8(id)}
	info, err := c.client(c.id)
	if err != nil {
		return nil, err
	}
	clear(info.name[:])
	copy(info.name[:len(info.name)-1], name)
	info.filter |= filterEvents
	clear(info.events[:])
	for _, e := range events {
		info.events[e/8] |= 1 << (e % 8)
	}
	return c, c.ioctl(ioSetClient, unsafe.Pointer(&info))
}

func (c *client) client(id uint8) (info clientInfo, err error) {
	info.client = int32(id)
	err = c.ioctl(ioGetClient, unsafe.Pointer(&info))
	return info, err
}

func (c *client) port(a addr) (info portInfo, err error) {
	info.addr = a
	err = c.ioctl(ioGetPort, unsafe.Pointer(&info))
	return info, err
}

// createPort makes a port that other programs do not see.
func (c *client) createPort(name string, caps uint32) (addr, error) {
	info := portInfo{addr: addr{client: c.id}, caps: caps | capNoExport, kind: typeGeneric | typeApplication, channels: 16}
	copy(info.name[:len(info.name)-1], name)
	err := c.ioctl(ioCreatePort, unsafe.Pointer(&info))
	return info.addr, err
}

// growPool must come before the first subscription: it empties the queue.
func (c *client) growPool(events int32) error {
	p := pool{client: int32(c.id)}
	if err := c.ioctl(ioGetPool, unsafe.Pointer(&p)); err != nil {
		return err
	}
	p.input = events
	return c.ioctl(ioSetPool, unsafe.Pointer(&p))
}

func (c *client) subscribe(from, to addr) error {
	return c.ioctl(ioSubscribe, unsafe.Pointer(&subscription{sender: from, dest: to}))
}

func (c *client) unsubscribe(from, to addr) error {
	return c.ioctl(ioUnsubscribe, unsafe.Pointer(&subscription{sender: from, dest: to}))
}

// subscribed says whether the subscription is there.
func (c *client) subscribed(from, to addr) bool {
	return c.ioctl(ioSubscribed, unsafe.Pointer(&subscription{sender: from, dest: to})) == nil
}

// each calls visit for every port of every client. What comes or goes meanwhile may be
// missed or seen half; an announcement follows.
func (c *client) each(visit func(clientInfo, portInfo)) error {
	owner := clientInfo{client: -1}
	for {
		err := c.ioctl(ioNextClient, unsafe.Pointer(&owner))
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return err
		}
		port := portInfo{addr: addr{uint8(owner.client), 255}} // next wraps to 0
		for c.ioctl(ioNextPort, unsafe.Pointer(&port)) == nil {
			visit(owner, port)
		}
	}
}
