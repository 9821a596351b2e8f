//go:build linux

package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service"
	"github.com/amiable-dev/midimon/service/loop"
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
	frozen = "is on a bus that hangs"
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
