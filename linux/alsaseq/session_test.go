//go:build linux

package alsaseq

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/stream"
)

func TestPorts(t *testing.T) {
	k, s, _ := fake(t, Options{Sysfs: sysfs(t)})
	k.plug(20, "LPD8", 1, duplex, duplex)
	k.plug(130, "Synth", -1, portInfo{caps: capRead | capSubsRead}, portInfo{caps: capRead}, // cannot be subscribed to
		portInfo{caps: duplex.caps | capNoExport}, portInfo{caps: duplex.caps | capInactive}, portInfo{caps: duplex.caps | capUMP})
	k.plug(131, "Old card\xff", -1, portInfo{caps: capWrite | capSubsWrite, kind: typeHardware})
	got, err := s.Ports()
	if err != nil {
		t.Fatal(err)
	}
	lpd := report.Port{
		Addr: 20 << 8, Client: "LPD8", Name: "LPD8 MIDI", In: true, Out: true, Hard: true,
		USB: "09e8:0075", Serial: "A1", Path: "1-1.2",
	}
	second := lpd
	second.Addr, second.Index = 20<<8|1, 1
	want := []report.Port{
		lpd, second,
		{Addr: 130 << 8, Client: "Synth", Name: "Synth MIDI", In: true},
		{Addr: 131 << 8, Client: "Old card\uFFFD", Name: "Old card\uFFFD MIDI", Out: true, Hard: true},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
	k.refused[ioNextClient] = unix.EIO
	if _, err := s.Ports(); !errors.Is(err, unix.EIO) {
		t.Errorf("Ports = %v, want EIO", err)
	}
}

func TestHotPlug(t *testing.T) {
	k, s, in := fake(t, Options{})
	for i := range 1000 {
		k.plug(20, "LPD8", 1, duplex)
		p := found(t, s, named("LPD8"))
		for s.Listen(p, 1) != nil { // the loss before may still be on the way
			wait(t, s.Changed(), "change")
		}
		before := stream.Now()
		k.play(rec(evNoteOn, pad, 0, uint8(i&127), 1), ext(pad, 0xF0, 1))
		got := expect(t, in, engine.NoteOn, uint8(i&127), 1)
		if got.At < before || got.At > stream.Now() || got.Port != 1 {
			t.Fatalf("got %+v after %v", got, before)
		}
		k.unplug(20)
		expect(t, in, engine.PortLost, 0, 0) // and nothing of the SysEx begun
		gone(t, s, named("LPD8"))
	}
	if len(in) > 0 {
		t.Errorf("%d inputs too many", len(in))
	}
	if err := s.Ignore(1); err != nil {
		t.Errorf("Ignore after the loss: %v", err)
	}
}

func TestOwnAnnouncementsAreNoChange(t *testing.T) {
	k, s, _ := fake(t, Options{})
	k.plug(20, "LPD8", 1, duplex)
	found(t, s, named("LPD8"))
	drainChanged(s)
	for _, a := range []uint8{s.data.id, s.control.id} {
		if s.foreign(rec(evPortStart, announce, a, 0)) {
			t.Errorf("a port of our own client %d counts as a change", a)
		}
	}
	if !s.foreign(append(rec(evPortStart, announce, s.data.id, 0), rec(evPortExit, announce, 20, 0)...)) {
		t.Error("another's port after our own is no change")
	}
}

func TestListenRefuses(t *testing.T) {
	k, s, in := fake(t, Options{})
	k.plug(20, "LPD8", 1, duplex)
	p := found(t, s, named("LPD8"))
	listen(t, s, p, 1)
	if err := s.Listen(p, 1); err == nil {
		t.Error("a number in use is taken")
	}
	if err := s.Listen(p, 2); !isAbsent(err) {
		t.Errorf("a source listened to = %v, want ErrDeviceAbsent", err)
	}
	other := p
	other.Addr, other.Client = 21<<8, "nobody"
	if err := s.Listen(other, 2); !isAbsent(err) {
		t.Errorf("no such client = %v, want ErrDeviceAbsent", err)
	}
	k.plug(21, "Keystation", 2, duplex)
	if err := s.Listen(other, 2); !isAbsent(err) {
		t.Errorf("another's address = %v, want ErrDeviceAbsent", err)
	}
	other.Addr |= 5
	if err := s.Listen(other, 2); !isAbsent(err) {
		t.Errorf("no such port = %v, want ErrDeviceAbsent", err)
	}
	k.refused[ioSubscribe] = unix.EPERM
	if err := s.Listen(found(t, s, named("Keystation")), 2); !errors.Is(err, unix.EPERM) {
		t.Errorf("Listen = %v, want EPERM", err)
	}
	delete(k.refused, ioSubscribe)
	listen(t, s, found(t, s, named("Keystation")), 2)
	k.play(rec(evNoteOn, addr{21, 0}, 0, 1, 1))
	if got := expect(t, in, engine.NoteOn, 1, 1); got.Port != 2 {
		t.Errorf("arrived as %d, want 2", got.Port)
	}
}

func TestBusyDevice(t *testing.T) {
	dir := t.TempDir()
	k, s, in := fake(t, Options{Device: filepath.Join(dir, "seq")})
	k.plug(20, "LPD8", 1, duplex)
	p := found(t, s, named("LPD8"))
	k.held[pad] = true
	for range 2 {
		if err := s.Listen(p, 1); !isBusy(err) {
			t.Fatalf("Listen = %v, want ErrDeviceBusy", err)
		}
	}
	if err := s.Send(p, []byte{0x90, 1, 1}); !isBusy(err) {
		t.Errorf("Send = %v, want ErrDeviceBusy", err)
	}
	drainChanged(s)
	closing := func(name string) {
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	closing("pcmC1D0p") // says nothing
	k.mu.Lock()
	delete(k.held, pad)
	k.mu.Unlock()
	closing("midiC1D0")
	wait(t, s.Changed(), "word that the device is free")
	listen(t, s, p, 1)
	k.play(rec(evNoteOn, pad, 0, 1, 1))
	expect(t, in, engine.NoteOn, 1, 1)
}

func TestOverrunIsSaidOnEveryPort(t *testing.T) {
	k := newKernel()
	in := make(chan engine.Input)
	s := start(t, k, Options{}, func(i engine.Input) { in <- i })
	k.plug(20, "LPD8", 1, duplex)
	k.plug(21, "Keystation", 2, duplex)
	listen(t, s, found(t, s, named("LPD8")), 1)
	listen(t, s, found(t, s, named("Keystation")), 2)
	if err := s.Send(found(t, s, named("Keystation")), []byte{0xF8}); err != nil {
		t.Fatal(err)
	}
	k.play(rec(evNoteOn, pad, 0, 1, 1)) // the reader waits for us to take it
	for s.routesBusy() == 0 {
		runtime.Gosched()
	}
	flood := bytes.Repeat([]byte{1}, inputPool+1)
	for range flood {
		k.play(rec(evNoteOn, pad, 0, 2, 1))
	}
	k.unplug(21) // its word is lost too
	expect(t, in, engine.NoteOn, 1, 1)
	for _, want := range []struct {
		port engine.Port
		kind engine.Kind
	}{{1, engine.Overrun}, {2, engine.Overrun}, {2, engine.PortLost}} {
		if got := wait(t, in, "input"); got.Port != want.port || got.Kind != want.kind {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if n := s.Overruns(); n != 1 {
		t.Errorf("%d overruns counted, want 1", n)
	}
	k.play(rec(evNoteOn, pad, 0, 3, 1))
	expect(t, in, engine.NoteOn, 3, 1)
	if len(s.targets) != 0 {
		t.Error("the lost port is still taken for a target")
	}
}

// routesBusy is the number of listeners being delivered to.
func (s *Session) routesBusy() (n int) {
	for _, l := range *s.routes.Load() {
		if l.gate.Load() == busy {
			n++
		}
	}
	return n
}

func TestIgnore(t *testing.T) {
	k := newKernel()
	began, ending := make(chan int), make(chan int)
	s := start(t, k, Options{}, func(engine.Input) { began <- 1; <-ending })
	k.plug(20, "LPD8", 1, duplex)
	p := found(t, s, named("LPD8"))
	listen(t, s, p, 1)
	k.play(rec(evNoteOn, pad, 0, 1, 1))
	wait(t, began, "delivery")
	ignored := make(chan error, 1)
	l := (*s.routes.Load())[pad]
	go func() { ignored <- s.Ignore(1) }()
	for l.gate.Load() != leaving {
		runtime.Gosched()
	}
	if len(ignored) != 0 {
		t.Error("Ignore returned during a delivery")
	}
	k.play(rec(evNoteOn, pad, 0, 2, 1))
	ending <- 1
	if err := wait(t, ignored, "return of Ignore"); err != nil {
		t.Error(err)
	}
	listen(t, s, p, 2) // the port is free again, and nothing of before arrives
	k.play(rec(evNoteOn, pad, 0, 3, 1))
	wait(t, began, "delivery")
	ending <- 1
	if err := s.Ignore(2); err != nil {
		t.Error(err)
	}
	select {
	case <-began:
		t.Error("something was delivered after Ignore")
	default:
	}
}

// TestStaleLoss: the word that a subscription has ended may be older than the present one.
func TestStaleLoss(t *testing.T) {
	k, s, in := fake(t, Options{})
	k.plug(20, "LPD8", 1, duplex)
	listen(t, s, found(t, s, named("LPD8")), 1)
	k.mu.Lock()
	k.deliver(s.data.id, rec(evUnsubscribed, announce, 20, 0, s.in.client, s.in.port))
	k.deliver(s.data.id, rec(evUnsubscribed, announce, 99, 0, s.in.client, s.in.port))
	k.mu.Unlock()
	k.play(rec(evNoteOn, pad, 0, 1, 1))
	expect(t, in, engine.NoteOn, 1, 1)
}

func TestSend(t *testing.T) {
	k, s, _ := fake(t, Options{})
	k.plug(20, "LPD8", 1, duplex)
	k.plug(21, "Keystation", 2, duplex)
	p := found(t, s, named("LPD8"))
	send := func(b ...byte) {
		t.Helper()
		if err := s.Send(p, b); err != nil {
			t.Fatal(err)
		}
	}
	send(0x90, 36, 0)
	send(37, 1) // running status
	send(0xF0, 1)
	send(2, 0xF7)
	k.mu.Lock()
	sent := k.sent[pad]
	k.mu.Unlock()
	to := func(b []byte) []byte {
		b[3], b[14], b[15] = queueDirect, pad.client, pad.port
		return b
	}
	sysex := to(ext(s.out, 0xF0, 1, 2, 0xF7))[:recordSize+4]
	want := bytes.Join([][]byte{to(rec(evNoteOn, s.out, 0, 36, 0)), to(rec(evNoteOn, s.out, 0, 37, 1)), sysex}, nil)
	if !bytes.Equal(sent, want) {
		t.Errorf("sent % X\nwant % X", sent, want)
	}
	if len(k.sent) != 1 {
		t.Error("another port heard it too")
	}
	k.unplug(20)
	if err := s.Send(p, []byte{0x90, 1, 1}); !isAbsent(err) {
		t.Errorf("Send to what is gone = %v, want ErrDeviceAbsent", err)
	}
	k.plug(20, "LPD8", 1, duplex)
	send(0x90, 1, 1)
	if !k.there(s.out, pad) {
		t.Error("the output is not opened again")
	}
}

func (k *kernel) there(from, to addr) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.subs[[2]addr{from, to}]
}

func TestSequencerLost(t *testing.T) {
	k, s, in := fake(t, Options{})
	k.plug(20, "LPD8", 1, duplex)
	k.plug(21, "Keystation", 2, duplex)
	listen(t, s, found(t, s, named("LPD8")), 1)
	listen(t, s, found(t, s, named("Keystation")), 2)
	if s.Err() != nil {
		t.Error(s.Err())
	}
	k.fail(unix.ENODEV)
	for id := range engine.Port(2) {
		if got := wait(t, in, "loss"); got.Kind != engine.PortLost || got.Port != id+1 {
			t.Errorf("got %+v, want the loss of %d", got, id+1)
		}
	}
	wait(t, s.Done(), "the session's end")
	if !errors.Is(s.Err(), unix.ENODEV) {
		t.Errorf("Err = %v, want ENODEV", s.Err())
	}
	if n := k.users(); n != 0 {
		t.Errorf("%d clients left", n)
	}
	if err := s.Send(report.Port{Addr: 20 << 8}, []byte{0xF8}); err == nil {
		t.Error("sent by a sequencer that is lost")
	}
}

// TestCloseUnblocks: even where nobody takes what the reader wants to deliver, Close returns;
// and nothing stays behind.
func TestCloseUnblocks(t *testing.T) {
	fds, goroutines := count(t)
	for range 20 {
		k := newKernel()
		in := make(chan engine.Input)
		s := start(t, k, Options{Device: filepath.Join(t.TempDir(), "seq")}, func(i engine.Input) { in <- i })
		k.plug(20, "LPD8", 1, duplex)
		k.plug(21, "held", 2, duplex)
		k.held[addr{21, 0}] = true
		listen(t, s, found(t, s, named("LPD8")), 1)
		if err := s.Listen(found(t, s, named("held")), 2); !isBusy(err) {
			t.Fatal(err)
		}
		k.play(rec(evNoteOn, pad, 0, 1, 1))
		for s.routesBusy() == 0 {
			runtime.Gosched()
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		expect(t, in, engine.NoteOn, 1, 1)
		wait(t, s.Done(), "the session's end")
		if s.Err() != nil {
			t.Errorf("Err after Close = %v", s.Err())
		}
		if n := k.users(); n != 0 {
			t.Errorf("%d clients left", n)
		}
	}
	for deadline := time.Now().Add(limit); ; {
		f, g := count(t)
		if f <= fds && g <= goroutines {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("fds %d -> %d, goroutines %d -> %d", fds, f, goroutines, g)
		}
	}
}

func TestControlOverrunIsAChange(t *testing.T) {
	k, s, _ := fake(t, Options{})
	drainChanged(s)
	k.mu.Lock()
	k.clients[s.control.id].dev.fail = unix.ENOSPC
	k.clients[s.control.id].dev.more.Signal()
	k.mu.Unlock()
	wait(t, s.Changed(), "change")
}

func TestOpenFails(t *testing.T) {
	for _, c := range []struct {
		why error
		fix string
	}{
		{unix.ENOENT, "sudo modprobe snd-seq"},
		{unix.ENXIO, "sudo modprobe snd-seq"},
		{unix.EACCES, "sudo usermod -aG audio $USER, then log in again"},
		{unix.ENOMEM, "cat /proc/asound/seq/clients"},
	} {
		k := newKernel()
		k.refuse = c.why
		d := New(slog.New(slog.DiscardHandler), Options{})
		d.open = k.open
		if _, err := d.Open(nil); !isFault(err, c.fix) || !errors.Is(err, c.why) {
			t.Errorf("%v: Open = %v", c.why, err)
		}
	}
	k := newKernel()
	k.refused[ioNextClient] = unix.EIO
	d := New(slog.New(slog.DiscardHandler), Options{})
	d.open = k.open
	if _, err := d.Ports(); !isFault(err, "cat /proc/asound/seq/clients") || !errors.Is(err, unix.EIO) {
		t.Errorf("Ports = %v, want EIO and what to look at", err)
	}
	for _, request := range []uintptr{ioClientID, ioGetClient, ioSetClient, ioCreatePort, ioSubscribe, ioGetPool, ioSetPool} {
		k := newKernel()
		k.refused[request] = unix.EPERM
		d := New(slog.New(slog.DiscardHandler), Options{})
		d.open = k.open
		if _, err := d.Open(nil); !errors.Is(err, unix.EPERM) {
			t.Errorf("ioctl %x refused: Open = %v", request, err)
		}
		if n := k.users(); n != 0 {
			t.Errorf("ioctl %x refused: %d clients left", request, n)
		}
	}
}
