//go:build linux

package uinput

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

const (
	leftCtrl, leftShift, letterT = 29, 42, 20
	sizeOfFrame                  = 48
)

// event is struct input_event of a 64-bit kernel, as others read it.
type event struct {
	Sec, USec  int64
	Type, Code uint16
	Value      int32
}

// piped is a Keys whose devices write where the test can read: each write stays one message.
func piped(t *testing.T) (keys *Keys, frames *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, frames := os.NewFile(uintptr(fds[0]), "device"), os.NewFile(uintptr(fds[1]), "reader")
	t.Cleanup(func() { _ = out.Close(); _ = frames.Close() })
	return &Keys{
		keyboard: newDevice(out, keyboardTraits().keys),
		pointer:  newDevice(out, pointerTraits().keys),
	}, frames
}

// next reads one write of the device.
func next(t *testing.T, frames io.Reader) [2]event {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := frames.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if n != sizeOfFrame {
		t.Fatalf("a write of %d bytes, want one frame of %d", n, sizeOfFrame)
	}
	var got [2]event
	if err := binary.Read(bytes.NewReader(buf), binary.NativeEndian, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestChordIsOneFrameAKeyInOrder(t *testing.T) {
	keys, frames := piped(t)
	down := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(leftCtrl, leftShift, letterT, btnLeft)}
	up := effect.Effect{Kind: effect.KeyUp, Keys: effect.NewChord(btnLeft, letterT, leftShift, leftCtrl)}
	for _, x := range []effect.Effect{down, up} {
		if err := keys.Do(&x); err != nil {
			t.Fatal(err)
		}
		value := int32(1)
		if x.Kind == effect.KeyUp {
			value = 0
		}
		for _, key := range x.Keys.Keys() {
			want := [2]event{{Type: evKey, Code: uint16(key), Value: value}, {}}
			if got := next(t, frames); got != want {
				t.Errorf("frame %v, want %v", got, want)
			}
		}
	}
}

func TestPressingAllocatesNothing(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := &Keys{keyboard: newDevice(null, keyboardTraits().keys), pointer: newDevice(null, pointerTraits().keys)}
	down := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(leftCtrl, leftShift, letterT)}
	if n := testing.AllocsPerRun(100, func() {
		if err := keys.Do(&down); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a chord, want none", n)
	}
}

func TestUnknownKeyPressesNothing(t *testing.T) {
	keys, frames := piped(t)
	for _, unknown := range []effect.Key{116, 0x198, 0x2fe, 0xffff} {
		x := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(leftCtrl, unknown)}
		if err := keys.Do(&x); err == nil || errors.Is(err, report.ErrKeysUnavailable) {
			t.Errorf("key %d: %v, want an error that keeps the devices", unknown, err)
		}
	}
	x := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(letterT)}
	if err := keys.Do(&x); err != nil {
		t.Fatal(err)
	}
	if got := next(t, frames)[0].Code; got != letterT {
		t.Errorf("first key to come out is %d, want the first of a whole chord, %d", got, letterT)
	}
}

func TestOtherEffectsAreNotItsBusiness(t *testing.T) {
	for _, kind := range []effect.Kind{effect.Act, effect.ModeChanged, effect.Refused} {
		if err := new(Keys).Do(&effect.Effect{Kind: kind}); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
}

func TestLostDeviceIsSaid(t *testing.T) {
	x := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(letterT)}
	if err := new(Keys).Do(&x); !errors.Is(err, report.ErrKeysUnavailable) {
		t.Errorf("before Open: %v", err)
	}
	keys, frames := piped(t)
	if err := frames.Close(); err != nil {
		t.Fatal(err)
	}
	if err := keys.Do(&x); !errors.Is(err, report.ErrKeysUnavailable) || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the write failed: %v", err)
	}
}

// The write goes past the runtime: nothing but these checks keeps it from waiting for ever,
// from half a frame, and from a file that got the number after Close.
func TestWriteThatFailsLosesTheDevice(t *testing.T) {
	for _, c := range []struct {
		name string
		file func(t *testing.T) *os.File
		want error
	}{
		{"no room", fullPipe, syscall.EAGAIN},
		{"half a frame", nearlyFull, io.ErrShortWrite},
		{"closed", closedFile, report.ErrKeysUnavailable},
	} {
		f := c.file(t)
		keys := &Keys{keyboard: newDevice(f, keyboardTraits().keys)}
		x := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(letterT)}
		done := make(chan error, 1)
		go func() { done <- keys.Do(&x) }()
		if err := within(t, done); !errors.Is(err, report.ErrKeysUnavailable) || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		_ = f.Close()
	}
}

// fullPipe takes nothing more.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]) })
	var err error
	for err == nil {
		_, err = unix.Write(fds[1], make([]byte, 4096))
	}
	return os.NewFile(uintptr(fds[1]), "pipe")
}

// nearlyFull takes a part of a frame.
func nearlyFull(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "frames")
	size := int64(os.Getpagesize())
	sized := f.Truncate(size)
	_, sealed := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_GROW)
	_, placed := f.Seek(size-8, io.SeekStart)
	if err := errors.Join(sized, sealed, placed); err != nil {
		t.Fatal(err)
	}
	return f
}

func closedFile(t *testing.T) *os.File {
	t.Helper()
	f := fullPipe(t)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOpenSaysHowToMendIt(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain") // opens, and is no uinput
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, fix string
		cause           error
	}{
		{"absent", filepath.Join(dir, "none"), "sudo modprobe uinput", syscall.ENOENT},
		{"not uinput", plain, "sudo modprobe -r uinput; sudo modprobe uinput", syscall.ENOTTY},
	} {
		keys := &Keys{path: c.path}
		err := keys.Open(t.Context())
		var f *report.Fault
		if !errors.As(err, &f) {
			t.Fatalf("%s: %v is no fault", c.name, err)
		}
		if f.Check != keys.Name() || f.Fix != c.fix || !errors.Is(err, report.ErrKeysUnavailable) || !errors.Is(err, c.cause) {
			t.Errorf("%s: check %q, fix %q, error %v", c.name, f.Check, f.Fix, err)
		}
		if err := keys.Close(); err != nil {
			t.Errorf("%s: close: %v", c.name, err)
		}
	}
	for cause, fix := range map[error]string{
		syscall.EACCES: "sudo udevadm trigger",
		syscall.EPERM:  "sudo udevadm trigger",
		syscall.ENODEV: "sudo modprobe uinput",
	} {
		var f *report.Fault
		if err := fault(cause); !errors.As(err, &f) || !strings.Contains(f.Fix, fix) {
			t.Errorf("%v: fix %q does not say %q", cause, f.Fix, fix)
		}
	}
}

func TestRuleInstalledIsNotWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	if installed(dir) {
		t.Error("an empty directory has the rule")
	}
	if err := os.WriteFile(filepath.Join(dir, ruleFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !installed("/nonexistent", dir) {
		t.Error("the rule is not found")
	}
}

func TestPackagedRuleIsTheOneTold(t *testing.T) {
	text, err := os.ReadFile("../../packaging/udev/" + ruleFile)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(string(text), "\n"), Rule) {
		t.Errorf("packaging/udev/%s lacks the line\n%s", ruleFile, Rule)
	}
}

func TestAwaitReturnsWhenTheNodeComes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "uinput")
	keys := &Keys{path: path}
	if err := keys.Open(t.Context()); err == nil {
		t.Fatal("opened what is not there")
	}
	done := make(chan error, 1)
	go func() { done <- keys.Await(t.Context()) }()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := within(t, done); err != nil {
		t.Error(err)
	}
}

// A node that opens and gives no device must not make Open and Await chase each other.
func TestAwaitAfterRefusalWaitsForAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "uinput")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	keys := &Keys{path: path}
	if err := keys.Open(t.Context()); err == nil {
		t.Fatal("a plain file became a keyboard")
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := keys.Await(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing changed and Await returned %v", err)
	}
	asked := make(chan bool, 8)
	done := make(chan error, 1)
	first := true
	go func() {
		done <- await(t.Context(), filepath.Dir(path), func() bool {
			defer func() { first = false; asked <- true }()
			return !first
		})
	}()
	<-asked // the watch is set
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := within(t, done); err != nil {
		t.Error(err)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- (&Keys{path: filepath.Join(t.TempDir(), "none")}).Await(ctx) }()
	cancel()
	if err := within(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := (&Keys{path: "/nonexistent/uinput"}).Await(t.Context()); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestDevicesHaveNoKeyThatStopsTheMachine(t *testing.T) {
	for _, tr := range []traits{keyboardTraits(), pointerTraits()} {
		d := newDevice(nil, tr.keys)
		// KEY_POWER, KEY_SLEEP, KEY_WAKEUP, KEY_SUSPEND, KEY_POWER2, KEY_RESTART
		for _, key := range []effect.Key{116, 142, 143, 205, 0x164, 0x198} {
			if d.has(key) {
				t.Errorf("%s has key %d", tr.name, key)
			}
		}
	}
}

// udev calls a device a keyboard, and compositors take it for one, if it has all of the
// first 31 keys: Escape, the digits, Q to D.
func TestKeyboardIsAKeyboard(t *testing.T) {
	d := newDevice(nil, keyboardTraits().keys)
	for key := effect.Key(1); key < 32; key++ {
		if !d.has(key) {
			t.Errorf("no key %d", key)
		}
	}
	for _, key := range effect.KeyCodes() {
		if !d.has(key) && !isButton(key) {
			t.Errorf("%s can be named and not be pressed", effect.KeyName(key))
		}
	}
}

func within(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("not done in 30 s")
		return nil
	}
}
