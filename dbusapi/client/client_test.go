package client

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// serve serves b on a private socket.
func serve(t *testing.T, b *dbustest.Backend) (address string) {
	t.Helper()
	s, err := dbusapi.New(dbusapi.Options{Backend: b, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
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
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return dbusapi.UnixAddress(path)
}

func dial(t *testing.T, address string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), address, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestStatus(t *testing.T) {
	b := dbustest.NewBackend()
	b.Publish(func(s *report.Status) {
		s.Devices = append(s.Devices, report.Device{ID: "a", Name: "A", State: report.Ignored})
	})
	c := dial(t, serve(t, b))
	s, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.State != "degraded" || s.Pid != 4711 || s.LastReload.DurationUS != 3000 || s.Health[0].Fix != "midimonctl devices" {
		t.Errorf("%+v", s)
	}
	var names []string
	for _, d := range s.Devices {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, " "); got != "Fader LPD8 A" { // the one not configured last
		t.Errorf("devices %s", got)
	}
	if p := s.Devices[1].Ports; len(p) != 1 || !p[0].In {
		t.Errorf("ports %v", p)
	}
	if _, _, err := c.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := c.LastReload(t.Context()); err != nil || r.SwapUS != 2000 || r.More != 3 || len(r.Changes) != 2 || r.Changes[0] !=
		(Change{Kind: "changed", ID: "play", Label: "Play or pause", Mode: "Media", Trigger: "Note", Action: "Media"}) || r.Other[0] != "timing" {
		t.Errorf("%+v, %v", r, err)
	}
	b.Publish(func(s *report.Status) { s.LastReload = report.Reload{} })
	if r, err := c.LastReload(t.Context()); err != nil || r != nil {
		t.Errorf("before the first reload: %+v, %v", r, err)
	}
	if s, err := c.Status(t.Context()); err != nil || s.LastReload != nil {
		t.Errorf("before the first reload: %+v, %v", s.LastReload, err)
	}
}

func TestReload(t *testing.T) {
	b := dbustest.NewBackend()
	c := dial(t, serve(t, b))
	if generation, found, err := c.Reload(t.Context()); generation != 2 || len(found) != 0 || err != nil {
		t.Errorf("%d, %v, %v", generation, found, err)
	}
	want := report.Diagnostic{Severity: "error", Code: "c", Message: "m", File: "f", Line: 1, Column: 2, Path: "p", Hint: "h"}
	b.Publish(func(s *report.Status) { s.Diagnostics = []report.Diagnostic{want} })
	b.OnCall(func(string, string) error { return report.ErrConfigInvalid })
	if _, _, err := c.Reload(t.Context()); !errors.Is(err, ErrConfigInvalid) || err.Error() != report.ErrConfigInvalid.Error() {
		t.Errorf("%v", err)
	}
	if got, err := c.Diagnostics(t.Context()); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.SetMode(t.Context(), "x"); errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, &Error{Name: "ConfigInvalid"}) {
		t.Errorf("%v", err)
	}
}

// A call ends with its context, whatever the daemon does.
func TestDeadline(t *testing.T) {
	b := dbustest.NewBackend()
	c := dial(t, serve(t, b))
	release := make(chan struct{})
	defer close(release)
	b.OnCall(func(string, string) error { <-release; return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Panic(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// Somebody who accepts and says nothing costs the time allowed and no more.
func TestSilence(t *testing.T) {
	path := filepath.Join(dbustest.Dir(t), "bus")
	l, err := net.Listen("unix", path) //nolint:noctx // local
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := Dial(t.Context(), dbusapi.UnixAddress(path), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Panic(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestDialNobody(t *testing.T) {
	if _, err := Dial(t.Context(), "unix:path=/nonexistent/bus", false); !errors.Is(err, ErrNotRunning) {
		t.Errorf("no socket: %v", err)
	}
	if _, err := Dial(t.Context(), "tcp:host=h", false); err == nil || errors.Is(err, ErrNotRunning) {
		t.Errorf("no unix socket: %v", err)
	}
}

func TestCause(t *testing.T) {
	closed := dbus.ErrClosed
	if err := cause(t.Context(), closed); !errors.Is(err, closed) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"ServiceUnknown", "NameHasNoOwner"} {
		if err := cause(t.Context(), dbus.Error{Name: "org.freedesktop.DBus.Error." + name}); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := cause(t.Context(), dbus.Error{Name: "a.b", Body: []any{"text"}}); err.Error() != "text" || errors.Is(err, ErrConfigInvalid) {
		t.Errorf("%v", err)
	}
}

func TestFind(t *testing.T) {
	dir := dbustest.Dir(t)
	private := filepath.Join(dir, "midimon", "bus")
	env := map[string]string{"XDG_RUNTIME_DIR": dir, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/session", "MIDIMON_ADDRESS": "unix:path=/mine"}
	check := func(given, want, wantDir string) {
		t.Helper()
		got, gotDir, err := Find(given, func(k string) string { return env[k] })
		if err != nil || got != want || gotDir != wantDir {
			t.Errorf("%q, %q, %v; want %q, %q", got, gotDir, err, want, wantDir)
		}
	}
	check("unix:path=/given", "unix:path=/given", "")
	check("", "unix:path=/mine", "")
	delete(env, "MIDIMON_ADDRESS")
	check("", "unix:path=/session", "")
	if err := os.MkdirAll(filepath.Dir(private), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(private, nil, 0o600); err != nil { // its path exists: that is all that counts
		t.Fatal(err)
	}
	check("", "unix:path="+private, filepath.Join(dir, "midimon"))
	check("unix:path="+private, "unix:path="+private, filepath.Join(dir, "midimon")) // named or not, it may start the daemon
	env["XDG_RUNTIME_DIR"] = private                                                 // no directory
	if _, _, err := Find("", func(k string) string { return env[k] }); err == nil || errors.Is(err, ErrNotRunning) {
		t.Errorf("a file in the way: %v", err)
	}
	clear(env)
	if _, _, err := Find("", func(k string) string { return env[k] }); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nowhere to look: %v", err)
	}
}

// Whoever connects to one that ends is told so, however far it came.
func TestHungUp(t *testing.T) {
	path := filepath.Join(dbustest.Dir(t), "bus")
	l, err := net.Listen("unix", path) //nolint:noctx // local
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for reads := 0; ; reads = 1 - reads { // at once, and after the first words
			socket, err := l.Accept()
			if err != nil {
				return
			}
			if reads > 0 {
				_, _ = socket.Read(make([]byte, 4096))
			}
			_ = socket.Close()
		}
	}()
	for range 20 {
		for _, call := range []func(c *Client) error{
			func(c *Client) error { return c.Panic(t.Context()) },
			func(c *Client) error { _, err := c.Status(t.Context()); return err },
		} {
			c, err := Dial(t.Context(), dbusapi.UnixAddress(path), false)
			if err == nil {
				err = call(c)
				_ = c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "midimon hung up") {
				t.Errorf("%v", err)
			}
		}
	}
}

// Whoever does not let us in, or speaks something else, is named at the first call, which may
// find the socket closed before the answer has been read.
func TestNotLetIn(t *testing.T) {
	path := filepath.Join(dbustest.Dir(t), "bus")
	l, err := net.Listen("unix", path) //nolint:noctx // local
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			socket, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = socket.Write([]byte("REJECTED ANONYMOUS\r\n"))
			_, _ = socket.Read(make([]byte, 4096))
			_ = socket.Close()
		}
	}()
	for range 100 {
		c, err := Dial(t.Context(), dbusapi.UnixAddress(path), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Panic(t.Context()); err == nil || !strings.Contains(err.Error(), "not let in") {
			t.Errorf("%v", err)
		}
		_ = c.Close()
	}
}
