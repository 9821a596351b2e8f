package dbusapi

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

const patience = 30 * time.Second

// A busReport is one call of KeepBus' tell.
type busReport struct {
	state BusState
	err   error
}

func newServer(t testing.TB, b Backend) *Server {
	t.Helper()
	s, err := New(Options{Backend: b, Log: slog.New(slog.DiscardHandler), Level: new(slog.LevelVar)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keep runs KeepBus until the test ends.
func keep(t testing.TB, s *Server, address string) <-chan busReport {
	t.Helper()
	told := make(chan busReport, 64)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.KeepBus(ctx, address, func(state BusState, err error) { told <- busReport{state, err} })
	}()
	t.Cleanup(func() { cancel(); receive(t, done) })
	return told
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func expect(t testing.TB, told <-chan busReport, want BusState) {
	t.Helper()
	_ = outcome(t, told, want)
}

// outcome is expect, and what was said with it.
func outcome(t testing.TB, told <-chan busReport, want BusState) error {
	t.Helper()
	got := receive(t, told)
	if got.state != want {
		t.Fatalf("bus is %s (%v), want %s", got.state, got.err, want)
	}
	return got.err
}

// onBus serves b on a bus of its own.
func onBus(t testing.TB, b Backend) (*dbustest.Bus, *Server) {
	t.Helper()
	bus, s := dbustest.New(t), newServer(t, b)
	expect(t, keep(t, s, bus.Address), BusConnected)
	return bus, s
}

// onSocket serves b on a private socket and returns its address.
func onSocket(t testing.TB, s *Server) string {
	t.Helper()
	path := filepath.Join(dbustest.Dir(t), "bus")
	l, err := net.Listen("unix", path) //nolint:noctx // local
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.ServePrivate(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := receive(t, done); err != nil {
			t.Error(err)
		}
	})
	return UnixAddress(path)
}

// dialPeer connects godbus to a private socket.
func dialPeer(t testing.TB, address string) *dbus.Conn {
	t.Helper()
	c, err := dbus.Connect(address, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
