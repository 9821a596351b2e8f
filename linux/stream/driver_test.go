//go:build linux

package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

func TestFIFO(t *testing.T) {
	path := mkfifo(t, filepath.Join(t.TempDir(), "pads"), 0o600)
	d, s, in := open(t, path)
	if d.Name() != "raw" {
		t.Errorf("Name = %q", d.Name())
	}
	p := found(t, s, 1)[0]
	if want := (report.Port{Client: "pads", Name: path, Path: path, In: true, Hard: true}); p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	listen(t, s, p, 3)
	before := Now()
	put(t, path, "90 24 64 24") // the writer leaves in the middle of a message
	put(t, path, "00")
	got := wait(t, in, "input")
	if got.Kind != engine.NoteOn || got.Port != 3 || got.At < before || got.At > Now() {
		t.Errorf("got %+v, want NoteOn on 3 after %v", got, before)
	}
	expect(t, in, 3, engine.NoteOff, 36)
	if err := s.Send(p, []byte{0xF8}); !errors.Is(err, report.ErrDeviceAbsent) {
		t.Errorf("Send to a FIFO = %v, want ErrDeviceAbsent: it would come back", err)
	}
	if err := s.Ignore(3); err != nil {
		t.Error(err)
	}
	listen(t, s, p, 4)
	put(t, path, "90 25 64")
	expect(t, in, 4, engine.NoteOn, 37)
	if s.Err() != nil {
		t.Error(s.Err())
	}
}

func TestFIFOComesAndGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "yet", "pads")
	_, s, in := open(t, path)
	found(t, s, 0)
	if err := s.Listen(report.Port{Path: path}, 1); !errors.Is(err, report.ErrDeviceAbsent) {
		t.Errorf("Listen = %v, want ErrDeviceAbsent", err)
	}
	for i := range uint8(20) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		mkfifo(t, path, 0o600)
		listen(t, s, found(t, s, 1)[0], 1)
		put(t, path, fmt.Sprintf("90 %02X 64", i))
		if err := os.RemoveAll(filepath.Dir(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		expect(t, in, 1, engine.NoteOn, i) // what was written before the end counts
		expect(t, in, 1, engine.PortLost, 0)
		found(t, s, 0)
	}
	if len(in) > 0 {
		t.Errorf("%d inputs after the last PortLost", len(in))
	}
}

func TestAnotherFIFOTakesThePath(t *testing.T) {
	dir := t.TempDir()
	path := mkfifo(t, filepath.Join(dir, "pads"), 0o600)
	_, s, in := open(t, path)
	listen(t, s, found(t, s, 1)[0], 1)
	if err := os.Rename(mkfifo(t, filepath.Join(dir, "new"), 0o600), path); err != nil {
		t.Fatal(err)
	}
	expect(t, in, 1, engine.PortLost, 0)
	for s.Listen(report.Port{Path: path}, 1) != nil {
		wait(t, s.Changed(), "change after the loss")
	}
	put(t, path, "90 01 01")
	expect(t, in, 1, engine.NoteOn, 1)
}

func TestSetPaths(t *testing.T) {
	dir := t.TempDir()
	one, two := mkfifo(t, filepath.Join(dir, "one"), 0o600), mkfifo(t, filepath.Join(dir, "two"), 0o600)
	d, s, in := open(t, one)
	p := found(t, s, 1)[0]
	listen(t, s, p, 1)
	d.SetPaths([]string{one, two})
	both := found(t, s, 2)
	if both[0].Addr != p.Addr || both[1].Addr == p.Addr {
		t.Errorf("addresses %d and %d after %d: the first must stay, the second differ", both[0].Addr, both[1].Addr, p.Addr)
	}
	d.SetPaths([]string{two})
	if got := found(t, s, 1)[0].Path; got != two {
		t.Errorf("listed %s, want %s", got, two)
	}
	put(t, one, "90 01 01") // still listened to
	expect(t, in, 1, engine.NoteOn, 1)
	shut(t, s)
	d.SetPaths(nil) // of nobody's interest any more, and no panic
}

func TestRefusal(t *testing.T) {
	dir := t.TempDir()
	regular := filepath.Join(dir, "file")
	if err := os.WriteFile(regular, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(regular, link); err != nil {
		t.Fatal(err)
	}
	open666 := mkfifo(t, filepath.Join(dir, "open"), 0o666)
	for path, why := range map[string]string{
		regular: "no FIFO", link: "no FIFO", dir: "no FIFO", "/dev/null": "no FIFO", "/dev/full": "no FIFO",
		open666: "everybody may write",
	} {
		var log strings.Builder
		s, err := New(slog.New(slog.NewTextHandler(&log, nil)), []string{path}).Open(func(engine.Input) {})
		if err != nil {
			t.Fatal(err)
		}
		found(t, s, 0)
		found(t, s, 0)
		if n := strings.Count(log.String(), why); n != 1 {
			t.Errorf("%s: %q stands %d times in the log, want once:\n%s", path, why, n, log.String())
		}
		if err := s.Listen(report.Port{Path: path}, 1); !errors.Is(err, ErrRefused) {
			t.Errorf("Listen to %s = %v, want ErrRefused", path, err)
		}
		shut(t, s)
	}
}

func TestForeignOwnerIsRefused(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatal("must run as root")
		}
		t.Skip("needs root to give a file away")
	}
	path := mkfifo(t, filepath.Join(t.TempDir(), "pads"), 0o600)
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := look(path); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "owner") {
		t.Errorf("look = %v, want a refusal because of the owner", err)
	}
}

func TestModeIsWatched(t *testing.T) {
	path := mkfifo(t, filepath.Join(t.TempDir(), "pads"), 0o666)
	_, s, in := open(t, path)
	found(t, s, 0)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	listen(t, s, found(t, s, 1)[0], 1)
	if err := os.Chmod(path, 0o622); err != nil {
		t.Fatal(err)
	}
	expect(t, in, 1, engine.PortLost, 0)
}

func TestTTY(t *testing.T) {
	m, path := pty(t)
	link := filepath.Join(t.TempDir(), "serial")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	_, s, in := open(t, link)
	p := found(t, s, 1)[0]
	if !p.Out || p.Path != link {
		t.Errorf("got %+v, want an output at %s", p, link)
	}
	listen(t, s, p, 1)
	// 0D, 03 and 11 are what a line discipline would turn into something else.
	if _, err := m.Write(unhex(t, "90 0D 03 B0 11 0D")); err != nil {
		t.Fatal(err)
	}
	expect(t, in, 1, engine.NoteOn, 13)
	expect(t, in, 1, engine.ControlChange, 17)
	if err := s.Send(p, unhex(t, "90 0A 7F")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(m, got); err != nil || got[1] != 0x0A {
		t.Errorf("sent % X, %v; want 90 0A 7F", got, err)
	}
	if err := s.Listen(p, 1); err == nil {
		t.Error("Listen took a number in use")
	}
	if err := s.Listen(p, 2); !errors.Is(err, report.ErrDeviceAbsent) {
		t.Errorf("Listen twice = %v, want ErrDeviceAbsent", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, in, 1, engine.PortLost, 0)
	if err := s.Send(p, []byte{0xF8}); !errors.Is(err, report.ErrDeviceAbsent) {
		t.Errorf("Send after the loss = %v, want ErrDeviceAbsent", err)
	}
}

func TestSendDoesNotWaitForEver(t *testing.T) {
	m, path := pty(t)
	defer m.Close() //nolint:errcheck // a terminal
	_, s, _ := open(t, path)
	p := found(t, s, 1)[0]
	listen(t, s, p, 1)
	if err := s.Send(p, make([]byte, 1<<20)); !errors.Is(err, report.ErrDeviceBusy) {
		t.Errorf("Send to a line that takes nothing = %v, want ErrDeviceBusy", err)
	}
}

func TestIgnoreWaitsForTheDelivery(t *testing.T) {
	path := mkfifo(t, filepath.Join(t.TempDir(), "pads"), 0o600)
	began, end, ignored := make(chan int), make(chan int), make(chan error, 1)
	s, err := New(slog.New(slog.DiscardHandler), []string{path}).Open(func(engine.Input) { began <- 1; <-end })
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, s)
	listen(t, s, found(t, s, 1)[0], 1)
	put(t, path, "90 01 01 02 01")
	wait(t, began, "delivery")
	go func() { ignored <- s.Ignore(1) }()
	for ended := false; !ended; { // until Ignore has begun
		s.mu.Lock()
		ended = len(s.listeners) == 0
		s.mu.Unlock()
		runtime.Gosched()
	}
	if len(ignored) != 0 {
		t.Error("Ignore returned during a delivery")
	}
	end <- 1
	select {
	case err := <-ignored:
		if err != nil {
			t.Error(err)
		}
	case <-began:
		// The second message may have been let in before Ignore; not after.
		end <- 1
		if err := wait(t, ignored, "return of Ignore"); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingLeaks(t *testing.T) {
	path := mkfifo(t, filepath.Join(t.TempDir(), "pads"), 0o600)
	cycle := func() {
		_, s, in := open(t, path)
		listen(t, s, found(t, s, 1)[0], 1)
		put(t, path, "90 01 01")
		expect(t, in, 1, engine.NoteOn, 1)
		shut(t, s)
		if err := s.Listen(report.Port{Path: path}, 1); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Listen after Close = %v", err)
		}
	}
	cycle()
	fds, goroutines := count(t)
	for range 20 {
		cycle()
	}
	for deadline := time.Now().Add(limit); ; runtime.Gosched() {
		f, g := count(t)
		if f <= fds && g <= goroutines {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d fds and %d goroutines, before %d and %d", f, g, fds, goroutines)
		}
	}
}

func TestAwait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(slog.New(slog.DiscardHandler), nil).Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Await = %v", err)
	}
}

// TestFlood: every message of a flood arrives, in order.
func TestFlood(t *testing.T) {
	path := mkfifo(t, filepath.Join(t.TempDir(), "pads"), 0o600)
	_, s, in := open(t, path)
	listen(t, s, found(t, s, 1)[0], 1)
	const n = 20000
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close() //nolint:errcheck // a FIFO
		for i := range n {
			if _, err := f.Write([]byte{0xB0, byte(i & 127), byte(i >> 7 & 127)}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for i := range n {
		got := wait(t, in, "input")
		if got.Number != uint8(i&127) || got.Value != uint16(i>>7&127) {
			t.Fatalf("message %d is %+v", i, got)
		}
	}
}
