//go:build linux

package stream

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// limit is how long a test waits for what must happen.
const limit = 30 * time.Second

// open starts a session whose inputs come out of the channel.
func open(t *testing.T, paths ...string) (*Driver, *Session, chan engine.Input) {
	t.Helper()
	in := make(chan engine.Input, 1000)
	d := New(slog.New(slog.DiscardHandler), paths)
	s, err := d.Open(func(i engine.Input) { in <- i })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return d, s, in
}

func shut(t *testing.T, s *Session) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wait(t, s.Done(), "the session's end")
}

func wait[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(limit):
		t.Fatalf("no %s within %v", what, limit)
	}
	return v
}

// found waits until the session lists that many ports.
func found(t *testing.T, s *Session, n int) []report.Port {
	t.Helper()
	for {
		ports, err := s.Ports()
		if err != nil {
			t.Fatal(err)
		}
		if len(ports) == n {
			return ports
		}
		wait(t, s.Changed(), fmt.Sprintf("change from %d ports to %d", len(ports), n))
	}
}

func mkfifo(t *testing.T, path string, mode uint32) string {
	t.Helper()
	if err := unix.Mkfifo(path, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, os.FileMode(mode)); err != nil { // past the umask
		t.Fatal(err)
	}
	return path
}

func put(t *testing.T, path, bytes string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a FIFO
	if _, err := f.Write(unhex(t, bytes)); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T, s *Session, p report.Port, id engine.Port) {
	t.Helper()
	if err := s.Listen(p, id); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, in <-chan engine.Input, port engine.Port, kind engine.Kind, number uint8) {
	t.Helper()
	got := wait(t, in, "input")
	if got.Port != port || got.Kind != kind || got.Number != number {
		t.Fatalf("got %+v, want port %d, kind %d, number %d", got, port, kind, number)
	}
}

// pty opens a pseudo terminal: its master and the path of its slave.
func pty(t *testing.T) (*os.File, string) {
	t.Helper()
	m, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(m.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(m.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m, fmt.Sprintf("/dev/pts/%d", n)
}

func count(t *testing.T) (fds, goroutines int) {
	t.Helper()
	e, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(e), runtime.NumGoroutine()
}
