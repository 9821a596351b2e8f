//go:build linux

// Package bus keeps one connection to a message bus for all who call others on it: players, the
// notification daemon, the service manager, logind. A bus that is absent or lost is waited for by
// its socket, never by a timer alone. What midimon itself offers on the bus is not here.
package bus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/inotify"
)

const (
	// dialWithin is how long a bus may take to greet us.
	dialWithin = 2 * time.Second
	// redial is the pause before a bus that is there and does not answer is tried again.
	redial = time.Second
)

// ErrAbsent says that there is no such bus.
var ErrAbsent = errors.New("there is no message bus")

// A Bus is a message bus that may come, go and come back. Its methods may be called from any
// goroutine.
type Bus struct {
	address string

	mu   sync.Mutex // held while the bus is dialled: who comes then waits for the outcome
	conn *dbus.Conn
}

// New names a bus by its address (D-Bus Specification, Server Addresses). An empty one is a bus
// that never is there.
func New(address string) *Bus { return &Bus{address: address} }

// Session is the session's bus: $DBUS_SESSION_BUS_ADDRESS, else bus in $XDG_RUNTIME_DIR.
func Session(getenv func(string) string) *Bus {
	if a := getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" {
		return New(a)
	}
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return New("unix:path=" + dbus.EscapeBusAddressValue(filepath.Join(dir, "bus")))
	}
	return New("")
}

// System is the system's bus.
func System(getenv func(string) string) *Bus {
	if a := getenv("DBUS_SYSTEM_BUS_ADDRESS"); a != "" {
		return New(a)
	}
	return New("unix:path=/run/dbus/system_bus_socket")
}

// Conn is the connection, made anew if there is none or it was lost. It is everybody's: nobody
// closes it. Its Context ends when it is lost.
func (b *Bus) Conn(ctx context.Context) (*dbus.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil && b.conn.Context().Err() == nil {
		return b.conn, nil
	}
	if b.address == "" {
		return nil, ErrAbsent
	}
	within, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	type dialled struct {
		conn *dbus.Conn
		err  error
	}
	done := make(chan dialled, 1)
	go func() { // a bus that hangs is left behind
		c, err := connect(b.address)
		done <- dialled{c, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			return nil, fmt.Errorf("cannot connect to the message bus: %w", d.err)
		}
		b.conn = d.conn
		return d.conn, nil
	case <-within.Done():
		go func() {
			if d := <-done; d.err == nil {
				_ = d.conn.Close()
			}
		}()
		return nil, fmt.Errorf("cannot connect to the message bus: %w", within.Err())
	}
}

// Another is a connection of the caller's own, who must close it: for what others call us by.
func (b *Bus) Another() (*dbus.Conn, error) {
	if b.address == "" {
		return nil, ErrAbsent
	}
	c, err := connect(b.address)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the message bus: %w", err)
	}
	return c, nil
}

// Each does something with each connection, one after the other, until ctx is done: with the next
// when the last is lost, also if it was done with that before.
func (b *Bus) Each(ctx context.Context, do func(conn *dbus.Conn)) {
	for {
		conn, err := b.Await(ctx)
		if err != nil {
			return
		}
		do(conn)
		select {
		case <-ctx.Done():
			return
		case <-conn.Context().Done():
		}
	}
}

// Await returns the connection as soon as there is one. The error is ctx's.
func (b *Bus) Await(ctx context.Context) (*dbus.Conn, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if c, err := b.Conn(ctx); err == nil {
		return c, nil
	}
	path := b.path()
	w, err := inotify.New()
	if err != nil {
		return nil, fmt.Errorf("cannot wait for the message bus: %w", err)
	}
	defer w.Close()
	for {
		for dir := filepath.Dir(path); path != ""; dir = filepath.Dir(dir) { // its own, or the nearest that there is
			if w.Add(dir) == nil || dir == filepath.Dir(dir) {
				break
			}
		}
		c, err := b.Conn(ctx)
		if err == nil {
			return c, nil
		}
		var again <-chan time.Time
		if _, err := os.Stat(path); err == nil || path == "" && b.address != "" {
			again = time.After(redial) // it is there, and does not listen yet; or it cannot be watched
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.Events:
		case <-again:
		}
	}
}

// path is the socket of the address, if it has one in the file system.
func (b *Bus) path() string {
	for _, one := range strings.Split(b.address, ";") {
		rest, ok := strings.CutPrefix(one, "unix:")
		if !ok {
			continue
		}
		for _, pair := range strings.Split(rest, ",") {
			if value, ok := strings.CutPrefix(pair, "path="); ok {
				if path, err := url.PathUnescape(value); err == nil {
					return path
				}
			}
		}
	}
	return ""
}

// Close ends the connection for everybody.
func (b *Bus) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		_ = b.conn.Close()
		b.conn = nil
	}
}
