//go:build linux && vm

package vm

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"syscall"
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
	file *os.File
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
	waitFor(t, "/dev/input", 20*time.Second, name, func() bool { return node(name) != "" })
	path := node(name)
	dev, err := evdev.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	const setClock = 0x400445a0 // EVIOCSCLOCKID
	if err := unix.IoctlSetPointerInt(int(file.Fd()), setClock, unix.CLOCK_MONOTONIC); err != nil {
		t.Fatal(err)
	}
	k := &keyboard{dev: dev, file: file, keys: make(chan key, 1<<14), gone: make(chan struct{})}
	go k.read()
	t.Cleanup(k.close)
	return k
}

func (k *keyboard) close() {
	_ = k.file.Close()
	_ = k.dev.Close()
}

func (k *keyboard) read() {
	defer close(k.gone)
	buf := make([]byte, 64*24)
	for {
		n, err := k.file.Read(buf)
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
	over := time.After(20 * time.Second)
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

// let waits for the end of the device, with which the kernel lets go of what it held. Who
// reads in time still gets the release; later than that the device is gone for readers too.
func (k *keyboard) let(t *testing.T, want string) {
	t.Helper()
	select {
	case e := <-k.keys:
		if e.String() != want {
			t.Errorf("%v, want %s", e, want)
		}
	case <-k.gone:
	case <-time.After(20 * time.Second):
		t.Errorf("%s is still held after 20 s", strings.TrimPrefix(want, "-"))
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
func waitFor(t *testing.T, dir string, limit time.Duration, what string, ready func() bool) {
	t.Helper()
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
