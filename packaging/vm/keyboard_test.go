//go:build linux && vm

package vm

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/holoplot/go-evdev"
	"golang.org/x/sys/unix"
)

// key is one key event as the kernel's input layer gives it to a compositor.
type key struct {
	at time.Duration // monotonic, stamped by the kernel
	evdev.InputEvent
}

// String is "+LEFTCTRL" for a press and "-LEFTCTRL" for a release.
func (k key) String() string {
	sign := "-"
	if k.Value == 1 {
		sign = "+"
	}
	return sign + strings.TrimPrefix(evdev.CodeName(k.Type, k.Code), "KEY_")
}

// keyboard listens to a key device.
type keyboard struct {
	dev  *evdev.InputDevice
	keys chan key
	gone chan struct{}
}

// node is the event device of that name, if there is one.
func node(name string) string {
	paths, err := evdev.ListDevicePaths()
	if err != nil {
		return ""
	}
	for _, p := range paths {
		if p.Name == name {
			return p.Path
		}
	}
	return ""
}

// listen opens the device as soon as it is there.
func listen(t *testing.T, name string) *keyboard {
	t.Helper()
	waitFor(t, "/dev/input", name, func() bool { return node(name) != "" })
	path := node(name)
	dev, err := evdev.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	events, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	const setClock = 0x400445a0 // EVIOCSCLOCKID
	if err := unix.IoctlSetPointerInt(events, setClock, unix.CLOCK_MONOTONIC); err != nil {
		t.Fatal(err)
	}
	var end [2]int
	if err := unix.Pipe2(end[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	k := &keyboard{dev: dev, keys: make(chan key, 1<<17), gone: make(chan struct{})}
	go k.read(events, end[0])
	t.Cleanup(func() {
		_ = unix.Close(end[1])
		<-k.gone
		_, _, _ = unix.Close(events), unix.Close(end[0]), dev.Close()
	})
	return k
}

// read takes events as soon as they are there, before any other thread of this machine runs:
// the kernel holds no more than 64 of them for a reader.
func (k *keyboard) read(from, end int) {
	defer close(k.gone)
	runtime.LockOSThread() // and never unlocked: the thread ends with its priority
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		panic(err)
	}
	buf := make([]byte, 64*24)
	for {
		ready := []unix.PollFd{{Fd: int32(from), Events: unix.POLLIN}, {Fd: int32(end), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err == unix.EINTR {
			continue
		}
		if ready[1].Revents != 0 {
			return
		}
		n, err := unix.Read(from, buf)
		if err != nil {
			return
		}
		events := make([]evdev.InputEvent, n/24)
		if binary.Read(bytes.NewReader(buf[:n]), binary.NativeEndian, events) != nil {
			return
		}
		for _, e := range events {
			if e.Type == evdev.EV_KEY && e.Value != 2 { // 2: the kernel's repeat
				k.keys <- key{time.Duration(e.Time.Nano()), e}
			}
		}
	}
}

// expect waits for exactly these events: "+LEFTCTRL +T -T -LEFTCTRL".
func (k *keyboard) expect(t *testing.T, want string) []key {
	t.Helper()
	var got []key
	var text []string
	over := time.After(soon)
	for range strings.Fields(want) {
		select {
		case e := <-k.keys:
			got, text = append(got, e), append(text, e.String())
		case <-over:
			t.Fatalf("keys %q, want %q", strings.Join(text, " "), want)
		}
	}
	if s := strings.Join(text, " "); s != want {
		t.Fatalf("keys %q, want %q", s, want)
	}
	return got
}

// let waits for the end of the device, while H is held, with which the kernel lets go of what it held. Who
// reads in time still gets the release; later than that the device is gone for readers too.
func (k *keyboard) let(t *testing.T) {
	t.Helper()
	const want = "-H"
	select {
	case e := <-k.keys:
		if e.String() != want {
			t.Errorf("%v, want %s", e, want)
		}
	case <-k.gone:
	case <-time.After(soon):
		t.Errorf("%s is still held after %v", strings.TrimPrefix(want, "-"), soon)
	}
}

// quiet fails if anything was pressed that nobody expected.
func (k *keyboard) quiet(t *testing.T) {
	t.Helper()
	select {
	case e := <-k.keys:
		t.Errorf("unexpected %v", e)
	default:
	}
	k.up(t)
}

// up fails if anything is held.
func (k *keyboard) up(t *testing.T) {
	t.Helper()
	held, err := k.dev.State(evdev.EV_KEY)
	if err != nil {
		t.Fatal(err)
	}
	for code, down := range held {
		if down {
			t.Errorf("%s is held", evdev.CodeName(evdev.EV_KEY, code))
		}
	}
}

// waitFor asks ready at each change in dir until it says so.
func waitFor(t *testing.T, dir, what string, ready func() bool) {
	t.Helper()
	const limit = soon
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	defer func() { _ = f.Close() }()
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_DELETE|unix.IN_ATTRIB|unix.IN_CLOSE_WRITE|unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	if err := f.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for !ready() {
		if _, err := f.Read(buf); err != nil {
			t.Fatalf("no %s in %v", what, limit)
		}
	}
}
