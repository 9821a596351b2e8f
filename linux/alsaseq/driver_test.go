//go:build linux

package alsaseq

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
)

// sysfs lays out a USB controller as card 1 the way the kernel does, and a card without
// USB as card 0.
func sysfs(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	usb := "devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2"
	for name, content := range map[string]string{
		usb + "/idVendor":                        "09E8\n",
		usb + "/idProduct":                       "0075\n",
		usb + "/serial":                          "A1\n",
		usb + "/1-1.2:1.0/sound/card1/number":    "1\n",
		"devices/pci0000:00/0000:00:1b.0/vendor": "0x8086\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for card, device := range map[string]string{"card1": usb + "/1-1.2:1.0", "card0": "devices/pci0000:00/0000:00:1b.0"} {
		dir := filepath.Join(root, "class/sound", card)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("../../..", device), filepath.Join(dir, "device")); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestIdentify(t *testing.T) {
	root := sysfs(t)
	for card, want := range map[int32]identity{
		1:  {usb: "09e8:0075", serial: "A1", path: "1-1.2"},
		0:  {}, // not USB
		7:  {}, // not there
		-1: {}, // a program
	} {
		if got := identify(root, card); got != want {
			t.Errorf("card %d: got %+v, want %+v", card, got, want)
		}
	}
	if err := os.Remove(filepath.Join(root, "devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/serial")); err != nil {
		t.Fatal(err)
	}
	if got := identify(root, 1); got.serial != "" || got.usb == "" {
		t.Errorf("without a serial number: got %+v", got)
	}
}

func TestNewFillsIn(t *testing.T) {
	d := New(slog.New(slog.DiscardHandler), Options{})
	if want := (Options{Device: "/dev/snd/seq", Sysfs: "/sys", Client: "midimon"}); d.opts != want || d.Name() != "seq" {
		t.Errorf("got %+v, name %q", d.opts, d.Name())
	}
}

// TestSizes: the sizes of asequencer.h, as a C compiler has them for 64 bits.
func TestSizes(t *testing.T) {
	for name, is := range map[string][2]uintptr{
		"client_info": {unsafe.Sizeof(clientInfo{}), 188}, "subscribe": {unsafe.Sizeof(subscription{}), 80},
		"pool": {unsafe.Sizeof(pool{}), 88}, "capability": {unsafe.Offsetof(portInfo{}.caps), 68},
		"card": {unsafe.Offsetof(clientInfo{}.card), 124}, "events": {unsafe.Offsetof(clientInfo{}.events), 84},
	} {
		if is[0] != is[1] {
			t.Errorf("%s is at or has %d bytes, want %d", name, is[0], is[1])
		}
	}
	want := uintptr(168)
	if unsafe.Sizeof(uintptr(0)) == 4 {
		want = 164
	}
	if n := unsafe.Sizeof(portInfo{}); n != want {
		t.Errorf("port_info has %d bytes, want %d", n, want)
	}
}

// awaiting starts Await on a device that cannot be opened yet. It returns once Await watches.
func awaiting(t *testing.T, dev string) (k *kernel, back chan error, cancel context.CancelFunc) {
	t.Helper()
	k = newKernel()
	d := New(slog.New(slog.DiscardHandler), Options{Device: dev})
	tried := make(chan int, 100)
	d.open = func(path string) (device, error) {
		if _, err := os.Stat(path); err != nil {
			tried <- 1
			return nil, err
		}
		return k.open(path)
	}
	ctx, cancel := context.WithCancel(t.Context())
	back = make(chan error, 1)
	go func() { back <- d.Await(ctx) }()
	wait(t, tried, "attempt")
	return k, back, cancel
}

func TestAwait(t *testing.T) {
	dev := t.TempDir()
	path := filepath.Join(dev, "snd", "seq")
	k, back, cancel := awaiting(t, path) // not even the directory is there
	defer cancel()
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, back, "return of Await"); err != nil {
		t.Error(err)
	}
	if n := k.users(); n != 0 {
		t.Errorf("Await left %d clients", n)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	_, back, cancel := awaiting(t, filepath.Join(t.TempDir(), "seq"))
	cancel()
	if err := wait(t, back, "return of Await"); !errors.Is(err, context.Canceled) {
		t.Errorf("Await = %v", err)
	}
}

func TestAwaitSeesPermission(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seq")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	k := newKernel()
	d := New(slog.New(slog.DiscardHandler), Options{Device: path})
	tried := make(chan int, 100)
	d.open = func(path string) (device, error) {
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() == 0 {
			tried <- 1
			return nil, unix.EACCES
		}
		return k.open(path)
	}
	back := make(chan error, 1)
	go func() { back <- d.Await(t.Context()) }()
	wait(t, tried, "attempt")
	if err := os.Chmod(path, 0o600); err != nil { // as an ACL by udev does
		t.Fatal(err)
	}
	if err := wait(t, back, "return of Await"); err != nil {
		t.Error(err)
	}
}

// TestFile: the real device, as far as a FIFO stands for it.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seq")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	d := New(slog.New(slog.DiscardHandler), Options{Device: path})
	if _, err := d.Open(func(engine.Input) {}); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("Open of what is no sequencer = %v, want ENOTTY", err)
	}
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte{1, 2}); err != nil {
		t.Error(err)
	}
	b := make([]byte, 10)
	if n, err := f.Read(b); n != 2 || err != nil {
		t.Errorf("Read = %d, %v", n, err)
	}
	if _, err := f.Write(make([]byte, 200)); err != nil {
		t.Error(err)
	}
	if a := testing.AllocsPerRun(100, func() { _, _ = f.Read(b[:1]) }); a != 0 {
		t.Errorf("%v allocations for a Read, want none", a)
	}
	for n := 101; n < 200; { // the first run is not counted
		m, err := f.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		n += m
	}
	ended := make(chan error, 1)
	go func() {
		_, err := f.Read(b)
		ended <- err
	}()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := wait(t, ended, "end of Read"); err == nil {
		t.Error("Read after Close")
	}
	if _, err := f.Write(b); err == nil {
		t.Error("Write after Close")
	}
	if err := f.ioctl(ioClientID, nil); err == nil {
		t.Error("ioctl after Close")
	}
	null, err := openFile(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := null.Read(b); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read of nothing = %d, %v", n, err)
	}
	if err := null.Close(); err != nil {
		t.Error(err)
	}
	if _, err := openFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("openFile = %v", err)
	}
}
