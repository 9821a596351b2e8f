//go:build linux

package alsaseq

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// limit is how long a test waits for what must happen.
const limit = 20 * time.Second

func wait[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(limit):
		t.Fatalf("no %s within %v", what, limit)
	}
	return v
}

// rec is a record from a port, with the bytes of its data.
func rec(kind byte, from addr, data ...byte) []byte {
	b := make([]byte, recordSize)
	b[0], b[12], b[13] = kind, from.client, from.port
	copy(b[16:], data)
	return b
}

// ctl is a record with struct snd_seq_ev_ctrl.
func ctl(kind byte, from addr, channel byte, param uint32, value int32) []byte {
	b := rec(kind, from, channel)
	binary.NativeEndian.PutUint32(b[20:], param)
	binary.NativeEndian.PutUint32(b[24:], uint32(value))
	return b
}

// ext is a SysEx record, padded as the kernel pads.
func ext(from addr, data ...byte) []byte {
	b := rec(evSysEx, from)
	b[1] = lengthVariable
	binary.NativeEndian.PutUint32(b[16:], uint32(len(data)))
	b = append(b, data...)
	return append(b, make([]byte, (recordSize-len(data)%recordSize)%recordSize)...)
}

// fake starts a session on a sequencer that is not there. Inputs come out of the channel.
func fake(t *testing.T, opts Options) (*kernel, *Session, chan engine.Input) {
	t.Helper()
	k := newKernel()
	in := make(chan engine.Input, 10000)
	return k, start(t, k, opts, func(i engine.Input) { in <- i }), in
}

func start(t *testing.T, k *kernel, opts Options, deliver func(engine.Input)) *Session {
	t.Helper()
	d := New(slog.New(slog.DiscardHandler), opts)
	d.open = k.open
	s, err := d.Open(deliver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, s) })
	return s
}

func end(t *testing.T, s *Session) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wait(t, s.Done(), "the session's end")
}

// look waits until the session lists a port that fits, or none does.
func look(t *testing.T, s *Session, there bool, fits func(report.Port) bool) report.Port {
	t.Helper()
	for {
		ports, err := s.Ports()
		if err != nil {
			t.Fatal(err)
		}
		var p report.Port
		is := false
		for _, p = range ports {
			if is = fits(p); is {
				break
			}
		}
		if is == there {
			return p
		}
		wait(t, s.Changed(), "change")
	}
}

func found(t *testing.T, s *Session, fits func(report.Port) bool) report.Port {
	t.Helper()
	return look(t, s, true, fits)
}

func gone(t *testing.T, s *Session, fits func(report.Port) bool) {
	t.Helper()
	look(t, s, false, fits)
}

func named(name string) func(report.Port) bool {
	return func(p report.Port) bool { return p.Client == name }
}

func listen(t *testing.T, s *Session, p report.Port, id engine.Port) {
	t.Helper()
	if err := s.Listen(p, id); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, in <-chan engine.Input, kind engine.Kind, number uint8, value uint16) engine.Input {
	t.Helper()
	got := wait(t, in, "input")
	if got.Kind != kind || got.Number != number || got.Value != value {
		t.Fatalf("got %+v, want kind %d, number %d, value %d", got, kind, number, value)
	}
	return got
}

func drainChanged(s *Session) {
	select {
	case <-s.Changed():
	default:
	}
}

func isBusy(err error) bool   { return errors.Is(err, report.ErrDeviceBusy) }
func isAbsent(err error) bool { return errors.Is(err, report.ErrDeviceAbsent) }

func isFault(err error, fix string) bool {
	var f *report.Fault
	return errors.As(err, &f) && f.Check == "alsa" && f.Fix == fix
}

// count waits for goroutines on their way out, and counts what is held.
func count(t *testing.T) (fds, goroutines int) {
	t.Helper()
	for range 1000 {
		runtime.Gosched()
	}
	e, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(e), runtime.NumGoroutine()
}
