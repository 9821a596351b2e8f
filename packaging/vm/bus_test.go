//go:build linux && vm

package vm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	busName    = "com.amiable.Midimon1"
	rootObject = "/com/amiable/Midimon1"
)

// bus looks at the daemon as any program of the session can.
type bus struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

// session connects to a message bus: the one of the session if address is empty.
func session(t *testing.T, address string) *bus {
	t.Helper()
	if address == "" {
		address = sessionBus
	}
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	b := &bus{conn: conn, signals: make(chan *dbus.Signal, 1024)}
	conn.Signal(b.signals)
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(busName)},
		{dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, busName)},
	} {
		if err := conn.AddMatchSignal(match...); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// get reads a property of the root object.
func (b *bus) get(name string) (any, error) {
	v, err := b.conn.Object(busName, rootObject).GetProperty(busName + "." + name)
	return v.Value(), err
}

// await waits, from signal to signal, until the property satisfies ok. It returns when that was.
func (b *bus) await(t *testing.T, property string, limit time.Duration, ok func(v any) bool) time.Duration {
	t.Helper()
	over := time.After(limit)
	for {
		v, err := b.get(property)
		if err == nil && ok(v) {
			return monotonic()
		}
		select {
		case <-b.signals:
		case <-over:
			journal := root(t, "journalctl", "--no-pager", "-n", "40", "_UID=1000")
			t.Fatalf("%s is %v (%v) after %v\n%s", property, v, err, limit, journal)
		}
	}
}

// equals compares a property with what it should be, as text.
func equals(want string) func(any) bool {
	return func(v any) bool { return fmt.Sprint(v) == want }
}

func contains(word string) func(any) bool {
	return func(v any) bool { list, ok := v.([]string); return ok && slices.Contains(list, word) }
}

func lacks(word string) func(any) bool {
	return func(v any) bool { list, ok := v.([]string); return ok && !slices.Contains(list, word) }
}

// owner is the pid of the daemon, 0 if there is none.
func (b *bus) owner() (pid uint32) {
	_ = b.conn.BusObject().Call("org.freedesktop.DBus.GetConnectionUnixProcessID", 0, busName).Store(&pid)
	return pid
}

// awaitOwner waits until the name belongs to a process of which ok is true.
func (b *bus) awaitOwner(t *testing.T, limit time.Duration, ok func(pid uint32) bool) uint32 {
	t.Helper()
	over := time.After(limit)
	for {
		if pid := b.owner(); ok(pid) {
			return pid
		}
		select {
		case <-b.signals:
		case <-over:
			t.Fatalf("the name's owner is %d after %v\n%s", b.owner(), limit, strings.TrimSpace(root(t, "journalctl", "--no-pager", "-n", "40", "_UID=1000")))
		}
	}
}
