//go:build linux

package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/audio"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/buscall"
	"github.com/amiable-dev/midimon/linux/launch"
	"github.com/amiable-dev/midimon/linux/mpris"
	"github.com/amiable-dev/midimon/linux/notify"
	"github.com/amiable-dev/midimon/service"
	"github.com/amiable-dev/midimon/service/loop"
	"github.com/amiable-dev/midimon/service/midi"
	commanding "github.com/amiable-dev/midimon/service/process" // process is a word of these tests
)

// The faults of those whom back ends work for.
const (
	well   = ""
	hangs  = "hangs"
	slow   = "is slow"
	fails  = "fails"
	dies   = "dies when it is asked"
	flaps  = "dies whenever somebody comes"
	lies   = "answers nonsense"
	floods = "floods"
)

const (
	slowly = 200 * time.Millisecond // how long each answer of who is slow takes
	flood  = 1000                   // messages for each that comes
)

// faultOf is the fault that somebody has now.
type faultOf struct{ state atomic.Value }

func (f *faultOf) set(to string) { f.state.Store(to) }

func (f *faultOf) now() string {
	is, _ := f.state.Load().(string)
	return is
}

func (f *faultOf) is(it string) bool { return f.now() == it }

// faultyOne is whom a back end works for.
type faultyOne interface {
	set(fault string)
	mend() error
}

// A beginner makes a back end, whom it works for, and what tells of each thing done. It may use dir, and failed
// is for a back end that tells of what failed by itself.
type beginner func(t *testing.T, dir string, failed func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string)

// backends are the real ones. DIR in an action is the directory that start is given.
var backends = []struct {
	name, action string
	faults       []string
	start        beginner
}{
	{"audio", `type = "VolumeControl", operation = "Toggle"`, []string{hangs, slow, fails, dies, flaps, lies, floods}, startAudio},
	{"media", `type = "Media", operation = "PlayPause"`, busFaults, onBus("org.mpris.MediaPlayer2.faulty", func(b *bus.Bus) service.Backend { return mpris.New(b) })},
	{"notify", `type = "Notify", summary = "hello"`, busFaults, onBus("org.freedesktop.Notifications", func(b *bus.Bus) service.Backend { return notify.New(b) })},
	{
		"dbus", `type = "DBusCall", destination = "org.example.Faulty", path = "/", interface = "org.example.Faulty", method = "Go"`, busFaults,
		onBus("org.example.Faulty", func(b *bus.Bus) service.Backend { return buscall.New(b, bus.New("")) }),
	},
	{"process in systemd", `type = "Shell", command = "true"`, busFaults, startUnits},
	{"process", `type = "Shell", command = "DIR/command", timeout_ms = 500`, []string{hangs, slow, fails, dies, floods}, startCommands},
	{"midi", `type = "SendMidi", port = "any", message = "CC", channel = 0, controller = 1, value = 1`, []string{hangs, slow, fails, dies}, startMidi},
}

var busFaults = []string{hangs, slow, fails, dies, lies, floods}

func startAudio(t *testing.T, _ string, _ func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	s := newFaultySound(t)
	return audio.New(s.getenv), s, s.did
}

func onBus(name string, start func(*bus.Bus) service.Backend) beginner {
	return func(t *testing.T, _ string, _ func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
		daemon := dbustest.New(t)
		p := newFaultyPeer(t, daemon, name)
		b := bus.New(daemon.Address)
		t.Cleanup(b.Close)
		return start(b), p, p.did
	}
}

func startUnits(t *testing.T, _ string, failed func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	daemon := dbustest.New(t)
	p := newFaultyPeer(t, daemon, "org.freedesktop.systemd1")
	b := bus.New(daemon.Address)
	t.Cleanup(b.Close)
	return commanding.New(commanding.Config{
		Platform: launch.New(b, func(string) string { return "" }, nil), Fail: failed, Contained: func(error) {}, Log: slog.New(slog.DiscardHandler),
	}), p, p.did
}

// commands is a command that does what its file says.
type commands struct{ path, pipe string }

func (c *commands) set(fault string) {
	text := map[string]string{
		well: "echo done >" + c.pipe, hangs: "sleep 1000", slow: "sleep 0.2; exit 1", fails: "exit 3", dies: "kill -9 $$", floods: "exec yes",
	}[fault]
	next := c.path + ".next"
	_ = os.WriteFile(next, []byte("#!/bin/sh\n"+text+"\n"), 0o700) //nolint:gosec // it is run; one that is not there fails too
	_ = os.Rename(next, c.path)
}

func (c *commands) mend() error {
	c.set(well)
	return nil
}

func startCommands(t *testing.T, dir string, failed func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	c, did := &commands{filepath.Join(dir, "command"), filepath.Join(dir, "pipe")}, make(chan string, 4096)
	if err := syscall.Mkfifo(c.pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(c.pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close() })
	go func() {
		for b := make([]byte, 5); ; { // done and the end of the line
			if _, err := pipe.Read(b); err != nil {
				return
			}
			did <- "done"
		}
	}()
	c.set(well)
	b := commanding.New(commanding.Config{Fail: failed, Log: slog.New(slog.DiscardHandler)})
	return b, c, did
}

// ports are where MIDI goes to.
type ports struct{ faultOf }

func (p *ports) mend() error {
	p.set(well)
	return nil
}

func startMidi(_ *testing.T, _ string, _ func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	p, did := &ports{}, make(chan string, 4096)
	return midi.New(func(ctx context.Context, _ string, _ []byte) error {
		switch p.now() {
		case hangs:
			<-ctx.Done()
			return ctx.Err()
		case slow:
			time.Sleep(slowly)
		case fails:
			return os.ErrPermission
		case dies:
			return report.ErrDeviceAbsent
		}
		did <- "sent"
		return nil
	}), p, did
}

// keyboard is one that says what keys do.
type keyboard struct{ did chan effect.Kind }

func (*keyboard) Name() string                { return "keys" }
func (*keyboard) Open(context.Context) error  { return nil }
func (*keyboard) Await(context.Context) error { return nil }
func (*keyboard) Close() error                { return nil }

func (k *keyboard) Do(x *effect.Effect) error {
	if x.Kind == effect.KeyDown || x.Kind == effect.KeyUp {
		k.did <- x.Kind
	}
	return nil
}

// witness counts what fails, by mapping, and knows which backends are ready.
type witness struct {
	mu     sync.Mutex
	failed map[string]int
	ready  map[string]bool
}

func (w *witness) Event(e report.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Kind == report.ActionFailed {
		w.failed[e.Mapping]++
	}
}

func (*witness) Changed() {}

func (w *witness) Backend(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready[name] = err == nil
}

func (w *witness) allReady(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ready := 0
	for _, is := range w.ready {
		if is {
			ready++
		}
	}
	return ready == n
}

func (w *witness) failures(mapping string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed[mapping]
}

// faultStage is a loop with a keyboard and a back end whose peer can be at fault.
type faultStage struct {
	t     *testing.T
	loop  *loop.Loop
	clock func() time.Duration
	keys  *keyboard
	seen  *witness
	peer  faultyOne
	did   <-chan string
	stop  func()
}

func startFaulty(t *testing.T, action string, start beginner) *faultStage {
	t.Helper()
	dir := t.TempDir()
	action = strings.ReplaceAll(action, "DIR", dir)
	p, problems := config.Load("faulty.toml", []byte(`global_mappings = [
  { name = "key", trigger = { type = "Note", note = 1 }, action = { type = "Keystroke", keys = "a", hold = true } },
  { name = "act", trigger = { type = "Note", note = 2 }, action = { `+action+` } },
]`))
	if p == nil {
		t.Fatal(problems)
	}
	s := &faultStage{
		t: t, clock: service.Monotonic(), keys: &keyboard{make(chan effect.Kind, 4096)},
		seen: &witness{failed: map[string]int{}, ready: map[string]bool{}},
	}
	var l atomic.Pointer[loop.Loop]
	backend, peer, did := start(t, dir, func(x effect.Effect, word string, err error) { l.Load().Failed(x, word, err) })
	s.peer, s.did = peer, did
	s.loop = loop.New(loop.Config{
		Engine: engine.New(p), Now: s.clock, Observer: s.seen, Log: slog.New(slog.DiscardHandler), Backends: []loop.Backend{s.keys, backend},
	})
	l.Store(s.loop)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.loop.Run(ctx) }()
	s.stop = func() {
		cancel()
		s.await("the end", ended)
	}
	t.Cleanup(s.stop)
	if err := s.loop.Do(ctx, func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		e.Attach(0, engine.Any)
		return out
	}); err != nil {
		t.Fatal(err)
	}
	s.until("the back ends", func() bool { return s.seen.allReady(2) })
	return s
}

func (s *faultStage) await(what string, is <-chan struct{}) {
	s.t.Helper()
	select {
	case <-is:
	case <-time.After(patience):
		s.t.Fatalf("%s does not come", what)
	}
}

// until waits until something is so.
func (s *faultStage) until(what string, is func() bool) {
	s.t.Helper()
	for over := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(over) {
			s.t.Fatalf("%s: not so", what)
		}
	}
}

func (s *faultStage) play(kind engine.Kind, note uint8) {
	s.loop.Deliver(engine.Input{At: s.clock(), Message: engine.Message{Kind: kind, Number: note, Value: 100}})
}

func (s *faultStage) hit() {
	s.play(engine.NoteOn, 2)
	s.play(engine.NoteOff, 2)
}

// key plays the pad of the key, and returns how long the key took to go down, or up.
func (s *faultStage) key(kind engine.Kind, want effect.Kind) time.Duration {
	s.t.Helper()
	began := time.Now()
	s.play(kind, 1)
	select {
	case did := <-s.keys.did:
		if did != want {
			s.t.Errorf("the key did %d, want %d", did, want)
		}
	case <-time.After(patience):
		s.t.Fatal("the key does not come")
	}
	return time.Since(began)
}

// works waits until the back end performs.
func (s *faultStage) works() {
	s.t.Helper()
	s.until("it performs", func() bool {
		s.hit()
		select {
		case <-s.did:
			return true
		case <-time.After(250 * time.Millisecond): // it may do so five times a second
			return false
		}
	})
}

// TestFaultsDelayNoKey: while whom a back end works for is at fault, as long as that lasts, and its pad is
// played on and on, keys come; it is told that actions came to nothing; when the fault is over the back end
// performs again; and if midimon is to end meanwhile it does, and lets go of the key.
func TestFaultsDelayNoKey(t *testing.T) {
	for _, b := range backends {
		for _, fault := range b.faults {
			t.Run(b.name+" "+fault, func(t *testing.T) {
				t.Parallel()
				s := startFaulty(t, b.action, b.start)
				s.works()
				s.peer.set(fault)
				var took []time.Duration
				for range 20 {
					s.hit()
					took = append(took, s.key(engine.NoteOn, effect.KeyDown), s.key(engine.NoteOff, effect.KeyUp))
					time.Sleep(20 * time.Millisecond)
				}
				if fault == hangs || fault == fails || fault == dies {
					s.until("told that it fails", func() bool { s.hit(); return s.seen.failures("act") > 0 })
				}
				slices.Sort(took)
				t.Logf("%d keys: p50 %v, most %v", len(took), took[len(took)/2], took[len(took)-1])
				if err := s.peer.mend(); err != nil {
					t.Fatal(err)
				}
				for len(s.did) > 0 { // of what was late
					<-s.did
				}
				s.works()

				s.peer.set(fault)
				s.key(engine.NoteOn, effect.KeyDown)
				for range 5 {
					s.hit()
				}
				began := time.Now()
				s.stop()
				t.Logf("the end took %v; the goal is %v", time.Since(began), loop.StopWithin)
				select {
				case did := <-s.keys.did:
					if did != effect.KeyUp {
						t.Errorf("the key did %d at the end", did)
					}
				case <-time.After(patience):
					t.Error("the key stays down")
				}
			})
		}
	}
}
