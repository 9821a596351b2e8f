//go:build linux && vm

package uinput

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holoplot/go-evdev"
	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// find opens the device of that name as others do.
func find(t *testing.T, name string) *evdev.InputDevice {
	t.Helper()
	d, err := evdev.OpenByName(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestDevicesAreThereWhenOpenReturns(t *testing.T) {
	keys := new(Keys)
	from := time.Now()
	if err := keys.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("opened in %v", time.Since(from))
	defer func() { _ = keys.Close() }()
	keyboard, pointer := find(t, KeyboardName), find(t, PointerName)
	for _, d := range []*evdev.InputDevice{keyboard, pointer} {
		id, err := d.InputID()
		if err != nil {
			t.Fatal(err)
		}
		if id.Vendor != 0x1209 {
			t.Errorf("vendor %#x", id.Vendor)
		}
	}
	if got, want := len(keyboard.CapableEvents(evdev.EV_KEY)), len(keyboardTraits().keys); got != want {
		t.Errorf("%d keys, want %d", got, want)
	}
	if got := len(pointer.CapableEvents(evdev.EV_REL)); got != 6 {
		t.Errorf("%d axes, want 6", got)
	}

	down := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(leftCtrl, letterT)}
	from = time.Now()
	if err := keys.Do(&down); err != nil {
		t.Fatal(err)
	}
	t.Logf("two keys in %v", time.Since(from))
	held, err := keyboard.State(evdev.EV_KEY)
	if err != nil {
		t.Fatal(err)
	}
	if !held[evdev.KEY_LEFTCTRL] || !held[evdev.KEY_T] {
		t.Error("the chord is not down")
	}
	for repeated := false; !repeated; {
		e, err := keyboard.ReadOne()
		if err != nil {
			t.Fatal(err)
		}
		repeated = e.Type == evdev.EV_KEY && e.Value == 2
	}
	if err := keys.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{KeyboardName, PointerName} {
		if _, err := evdev.OpenByName(name); err == nil {
			t.Errorf("%s outlives Close", name)
		}
	}
}

// At login logind changes the node's access list; that is all that happens.
func TestAccessComes(t *testing.T) {
	if err := os.Chmod(node, 0); err != nil {
		t.Fatal(err)
	}
	refused, opened := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setfsuid(1000); err != nil {
			refused <- err
			return
		}
		keys := new(Keys)
		refused <- keys.Open(t.Context())
		if err := keys.Await(t.Context()); err != nil {
			opened <- err
			return
		}
		opened <- errors.Join(keys.Open(t.Context()), keys.Close())
	}()
	err := within(t, refused)
	var f *report.Fault
	if !errors.As(err, &f) || !errors.Is(err, syscall.EACCES) || !strings.Contains(f.Fix, "udevadm") {
		t.Errorf("refused with %v, %+v", err, f)
	}
	if err := os.Chmod(node, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := within(t, opened); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(node, 0o660); err != nil {
		t.Fatal(err)
	}
}
