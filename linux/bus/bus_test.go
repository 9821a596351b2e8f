//go:build linux

package bus_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

const limit = 20 * time.Second

// daemon starts a dbus-daemon on a socket and returns how to end it.
func daemon(t *testing.T, socket string) (kill func()) {
	t.Helper()
	desktoptest.Need(t, "dbus-daemon")
	c := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+socket) //nolint:noctx // kill ends it
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = c.Process.Kill(); _ = c.Wait(); _ = os.Remove(socket) }
	t.Cleanup(kill)
	return kill
}

func TestABusThatComesAndGoes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bus") //nolint:usetesting // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "later", "bus")
	b := bus.New("unix:path=" + socket)
	defer b.Close()
	if _, err := b.Conn(ctx); err == nil {
		t.Fatal("connected to nothing")
	}
	got := make(chan *dbus.Conn)
	await := func() {
		c, err := b.Await(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- c
	}
	go await()
	if err := os.Mkdir(filepath.Dir(socket), 0o700); err != nil {
		t.Fatal(err)
	}
	kill := daemon(t, socket)
	first := <-got
	if again, err := b.Conn(ctx); err != nil || again != first {
		t.Errorf("another connection while the first stands: %v", err)
	}
	kill()
	<-first.Context().Done()
	go await()
	daemon(t, socket)
	if second := <-got; second == first {
		t.Error("the lost connection came back")
	}
}

func TestNoAddress(t *testing.T) {
	b := bus.New("")
	if _, err := b.Conn(t.Context()); !errors.Is(err, bus.ErrAbsent) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOwner(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	defer b.Close()
	owners := make(chan string, 8)
	go b.Owner(ctx, "org.example.Player", func(_ *dbus.Conn, owner string) { owners <- owner })
	next := func(want string) {
		t.Helper()
		select {
		case got := <-owners:
			if got != want {
				t.Fatalf("owner %q, want %q", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("nobody told of %q", want)
		}
	}
	next("")
	other, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.RequestName("org.example.Player", 0); err != nil {
		t.Fatal(err)
	}
	next(other.Names()[0])
	_ = other.Close()
	next("")
}

// TestFollowInOrder hears signals in their order, also while who hears them is behind.
func TestFollowInOrder(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	defer b.Close()
	conn, err := b.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	other, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // it is over
	const iface, signals = "org.example.Count", 2000
	ready, behind, heard := make(chan struct{}), make(chan struct{}), make(chan int32, signals)
	go bus.Follow(ctx, conn, []dbus.MatchOption{dbus.WithMatchInterface(iface)}, func(s *dbus.Signal) {
		<-behind
		if s.Name == iface+".Is" {
			heard <- s.Body[0].(int32)
		}
	}, func() { close(ready) })
	<-ready
	for i := range int32(signals) {
		if err := other.Emit("/", iface+".Is", i); err != nil {
			t.Fatal(err)
		}
	}
	// What the bus answers us after that comes behind them all.
	if err := conn.Object(other.Names()[0], "/").CallWithContext(ctx, "org.freedesktop.DBus.Peer.Ping", 0).Err; err != nil {
		t.Fatal(err)
	}
	close(behind)
	for want := range int32(signals) {
		select {
		case is := <-heard:
			if is != want {
				t.Fatalf("signal %d is heard in the place of %d", is, want)
			}
		case <-ctx.Done():
			t.Fatalf("signal %d is not heard", want)
		}
	}
}

// TestTooFarBehind: signals do not wait without a bound for who does not take them. The connection ends, and
// whoever needs it gets another.
func TestTooFarBehind(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a flood takes its time on a slow machine
	defer cancel()
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	defer b.Close()
	conn, err := b.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const iface = "org.example.Flood"
	ready, behind, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		bus.Follow(ctx, conn, []dbus.MatchOption{dbus.WithMatchInterface(iface)}, func(*dbus.Signal) { <-behind }, func() { close(ready) })
	}()
	<-ready
	other := d.Dial()
	emitted := 0
	for ; conn.Context().Err() == nil; emitted++ {
		if err := other.Emit("/", iface+".Is"); err != nil {
			t.Fatal(err)
		}
		if emitted%1000 == 0 { // we do not run away from the bus either
			if err := other.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetId", 0).Err; err != nil {
				t.Fatalf("%d signals wait: %v", emitted, err)
			}
		}
	}
	t.Logf("the connection ended with %d signals", emitted)
	close(behind)
	<-ended
	if again, err := b.Conn(ctx); err != nil || again == conn {
		t.Errorf("no other connection: %v", err)
	}
}

// Who is done with a connection that is still there would otherwise do nothing else.
func TestEachConnectionComesOnce(t *testing.T) {
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	came := make(chan *dbus.Conn, 64)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Each(ctx, func(conn *dbus.Conn) { came <- conn })
	}()
	first := <-came
	_ = first.Close()
	select {
	case second := <-came:
		if second == first {
			t.Error("a lost connection came again")
		}
	case <-time.After(limit):
		t.Fatal("a second connection did not come")
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(limit):
		t.Fatal("it does not end")
	}
	if len(came) > 0 {
		t.Errorf("%d connections too many", len(came))
	}
	if _, err := b.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a connection for whoever wants none any more: %v", err)
	}
}
