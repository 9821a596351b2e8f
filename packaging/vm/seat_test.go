//go:build linux && vm

package vm

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// Mappings of the tests' configuration.
const (
	pressesOne  = "modes[0].mappings[7]"
	changesMode = "modes[0].mappings[6]"
)

// trigger fires a mapping as a program may. It says whether a gate was closed.
func (b *bus) trigger(t *testing.T, mapping string) (gated bool) {
	t.Helper()
	err := b.conn.Object(busName, rootObject).Call(busName+".Mappings.Trigger", dbus.FlagNoAutoStart, mapping).Err
	var e dbus.Error
	if errors.As(err, &e) && e.Name == busName+".Error.Paused" {
		return true
	}
	if err != nil {
		t.Fatalf("%s: %v", mapping, err)
	}
	return false
}

// awaitOpen waits until mappings act, which the key tells.
func (b *bus) awaitOpen(t *testing.T, k *keyboard) {
	t.Helper()
	for over := time.Now().Add(soon); b.trigger(t, pressesOne); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(over) {
			t.Fatalf("the gate is still closed after %v", soon)
		}
	}
	k.expect(t, "+1 -1")
}

// seated is the session of the user's at the seat, by its number, or empty.
func seated(t *testing.T) string {
	t.Helper()
	for _, line := range strings.Split(root(t, "loginctl", "list-sessions", "--no-legend"), "\n") {
		if f := strings.Fields(line); len(f) >= 4 && f[2] == "tester" && f[3] == "seat0" {
			return f[0]
		}
	}
	return ""
}

// vanishes waits until the keyboard is gone.
func (k *keyboard) vanishes(t *testing.T) {
	t.Helper()
	select {
	case <-k.gone:
	case <-time.After(soon):
		t.Fatal("the keyboard is still there")
	}
}

// vt brings a virtual terminal to the front.
func vt(t *testing.T, number int) {
	t.Helper()
	const vtActivate, vtWaitActive = 0x5606, 0x5607 // linux/vt.h
	f, err := os.OpenFile("/dev/tty0", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	for _, op := range []uint{vtActivate, vtWaitActive} {
		if err := unix.IoctlSetInt(int(f.Fd()), op, number); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLock(t *testing.T) {
	b, c, k := ready(t)
	b.awaitOpen(t, k)
	id := seated(t)
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	root(t, "loginctl", "lock-session", id)
	t.Cleanup(func() { root(t, "loginctl", "unlock-session", id) })
	k.expect(t, "-H")
	c.play(t, noteOff(40)...)
	c.tap(t, 39, 100) // not for a lock screen to see
	c.tap(t, 38, 100) // modes change all the same, and by then the pad before was looked at
	b.await(t, "Mode", soon, equals("Second"))
	k.quiet(t)
	if !b.trigger(t, pressesOne) {
		t.Error("a program may do what a pad may not")
	}

	root(t, "loginctl", "unlock-session", id)
	b.awaitOpen(t, k)
	c.tap(t, 38, 100)
	b.await(t, "Mode", soon, equals("Default"))
	c.tap(t, 39, 100)
	k.expect(t, "+1 -1")
	k.quiet(t)
}

// Another user, or nobody, is in front. The keyboard goes too: logind takes the right to it away.
func TestSeatSwitch(t *testing.T) {
	b, c, k := ready(t)
	b.awaitOpen(t, k)
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	t.Cleanup(func() { vt(t, 1) })
	vt(t, 2)
	k.let(t)
	k.vanishes(t)
	c.play(t, noteOff(40)...)
	for over := time.Now().Add(soon); !b.trigger(t, changesMode); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(over) {
			t.Fatalf("mappings act after %v", soon)
		}
	}
	if !b.trigger(t, pressesOne) {
		t.Error("keys are pressed")
	}

	vt(t, 1)
	k = listen(t, "midimon keyboard")
	b.await(t, "State", soon, equals("running"))
	b.awaitOpen(t, k)
	must(t, "midimonctl", "mode", "Default")
	c.tap(t, 39, 100)
	k.expect(t, "+1 -1")
	k.quiet(t)
}

// The user leaves; the daemon stays, for the user lingers.
func TestNoKeyboardIsLeftWithoutASession(t *testing.T) {
	b, c, k := ready(t)
	b.awaitOpen(t, k)
	pid := b.owner()
	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+H")
	t.Cleanup(func() { root(t, "systemctl", "start", "getty@tty1") })
	root(t, "systemctl", "stop", "getty@tty1")
	k.let(t)
	k.vanishes(t)
	c.play(t, noteOff(40)...)
	if !b.trigger(t, changesMode) {
		t.Error("a mode changes for nobody")
	}

	root(t, "systemctl", "start", "getty@tty1")
	k = listen(t, "midimon keyboard")
	b.await(t, "State", soon, equals("running"))
	b.awaitOpen(t, k)
	c.tap(t, 39, 100)
	k.expect(t, "+1 -1")
	if now := b.owner(); now != pid {
		t.Errorf("the daemon was %d and is %d", pid, now)
	}
}
