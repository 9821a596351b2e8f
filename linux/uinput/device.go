//go:build linux

package uinput

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/effect"
)

// From linux/uinput.h and linux/input-event-codes.h.
const (
	uiSetEvBit   = 0x40045564 // _IOW('U', 100, int)
	uiSetKeyBit  = 0x40045565
	uiSetRelBit  = 0x40045566
	uiDevSetup   = 0x405c5503 // _IOW('U', 3, struct uinput_setup)
	uiDevCreate  = 0x5501     // _IO('U', 1)
	uiDevDestroy = 0x5502
	uiGetSysname = 0x8040552c // _IOR('U', 44, char[64])

	evSyn, evKey, evRel, evRep = 0x00, 0x01, 0x02, 0x14

	busVirtual = 0x06
	vendor     = 0x1209 // pid.codes, the vendor of free projects
	version    = 1

	maxKey = 0x2ff // KEY_MAX

	// struct input_event where time is 64 bit: two words of time, type, code, value.
	eventSize = 24
)

// traits is what a device can do.
type traits struct {
	name    string
	product uint16
	repeat  bool // the kernel repeats held keys, as consoles expect of a keyboard
	keys    []effect.Key
	axes    []int // EV_REL codes
}

// device is one input device of ours. Its owner serialises all calls.
type device struct {
	file  *os.File
	keys  [maxKey/64 + 1]uint64 // what it can press
	frame [2 * eventSize]byte
}

// create makes a device through the uinput node. Close removes it.
func create(path string, t traits) (*device, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	d := newDevice(f, t.keys)
	if err := d.setup(t); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot create the device %q: %w", t.name, err), f.Close())
	}
	return d, nil
}

func newDevice(f *os.File, keys []effect.Key) *device {
	d := &device{file: f}
	for _, key := range keys {
		d.keys[key/64] |= 1 << (key % 64)
	}
	// The kernel stamps the events itself, so of the frame only a code and a value ever change.
	binary.NativeEndian.PutUint16(d.frame[16:], evKey)
	return d
}

func (d *device) setup(t traits) error {
	type request struct {
		op  uint
		arg int
	}
	requests := []request{{uiSetEvBit, evKey}}
	if t.repeat {
		requests = append(requests, request{uiSetEvBit, evRep})
	}
	for _, key := range t.keys {
		requests = append(requests, request{uiSetKeyBit, int(key)})
	}
	if len(t.axes) > 0 {
		requests = append(requests, request{uiSetEvBit, evRel})
	}
	for _, axis := range t.axes {
		requests = append(requests, request{uiSetRelBit, axis})
	}
	var setup struct { // struct uinput_setup
		bus, vendor, product, version uint16
		name                          [80]byte
		effects                       uint32
	}
	setup.bus, setup.vendor, setup.product, setup.version = busVirtual, vendor, t.product, version
	copy(setup.name[:len(setup.name)-1], t.name)
	return d.control(func(fd int) error {
		for _, r := range requests {
			if err := unix.IoctlSetInt(fd, r.op, r.arg); err != nil {
				return err
			}
		}
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uiDevSetup, uintptr(unsafe.Pointer(&setup))); e != 0 {
			return e
		}
		return unix.IoctlSetInt(fd, uiDevCreate, 0)
	})
}

// sysname is the device's name below /sys/devices/virtual/input: "input7".
func (d *device) sysname() (string, error) {
	var name [64]byte
	err := d.control(func(fd int) error {
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uiGetSysname, uintptr(unsafe.Pointer(&name))); e != 0 {
			return e
		}
		return nil
	})
	return unix.ByteSliceToString(name[:]), err
}

func (d *device) control(f func(fd int) error) error {
	c, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := c.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

func (d *device) has(key effect.Key) bool {
	return key <= maxKey && d.keys[key/64]&(1<<(key%64)) != 0
}

// key sends one frame: the key, and the SYN_REPORT without which nobody acts on it, in one
// write, so that no reader ever sees half of it.
func (d *device) key(key effect.Key, value int32) error {
	binary.NativeEndian.PutUint16(d.frame[18:], uint16(key))
	binary.NativeEndian.PutUint32(d.frame[20:], uint32(value))
	return d.control(d.write)
}

// Close removes the device. The ioctl does it at once, even if a child process should have
// inherited the descriptor.
func (d *device) Close() error {
	_ = d.control(func(fd int) error { return unix.IoctlSetInt(fd, uiDevDestroy, 0) })
	return d.file.Close()
}

// write sends the frame past Go's scheduler. A device takes it at once and never waits, but
// an ordinary system call, once it lasts 20 us, has its processor taken away; with the one
// that notes are handled on, to get it back costs a note more than the write itself.
func (d *device) write(fd int) error {
	for {
		n, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&d.frame)), uintptr(len(d.frame)))
		switch {
		case e == unix.EINTR:
		case e != 0: // EAGAIN too: to wait here would stop all there is
			return e
		case int(n) != len(d.frame):
			return io.ErrShortWrite
		default:
			return nil
		}
	}
}
