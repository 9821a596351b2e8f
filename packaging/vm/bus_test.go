//go:build linux && vm

package vm

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"syscall"
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
	conn, err := connectAsTester(address)
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

// only has the daemon's signals of one member come here, until what it returns is called: others take time of
// an emulated machine, too.
func (b *bus) only(t *testing.T, member string) (all func()) {
	t.Helper()
	from, of := dbus.WithMatchSender(busName), dbus.WithMatchMember(member)
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	must(b.conn.AddMatchSignal(from, of), b.conn.RemoveMatchSignal(from))
	return func() {
		t.Helper()
		must(b.conn.AddMatchSignal(from), b.conn.RemoveMatchSignal(from, of))
	}
}

// connectAsTester connects as the user, because a session bus lets nobody else in, root
// included. Who connects is the thread that calls connect(2).
func connectAsTester(address string) (conn *dbus.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, ^uintptr(0), tester, ^uintptr(0)); e != 0 {
			err = e
			return
		}
		conn, err = dbus.Dial(address)
	}()
	<-done
	if err != nil {
		return nil, err
	}
	if err := conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(tester))}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, conn.Hello()
}

// get reads a property of the root object. It starts no daemon that is not there.
func (b *bus) get(name string) (any, error) {
	var v dbus.Variant
	err := b.conn.Object(busName, rootObject).
		Call("org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, busName, name).Store(&v)
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
			t.Fatalf("%s is %v (%v) after %v", property, v, err, limit)
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
			t.Fatalf("the name's owner is %d after %v", b.owner(), limit)
		}
	}
}
