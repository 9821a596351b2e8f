package loop_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/loop"
)

const configuration = `
[[modes]]
name = "One"
mappings = [
  { name = "tap", trigger = { type = "Note", note = 1 }, action = { type = "Keystroke", keys = "a" } },
  { name = "held", trigger = { type = "Note", note = 2 }, action = { type = "Keystroke", keys = "b", hold = true } },
  { name = "run", trigger = { type = "Note", note = 3 }, action = { type = "Shell", command = "true" } },
  { name = "long", trigger = { type = "LongPress", note = 4, duration_ms = 500 }, action = { type = "Keystroke", keys = "c" } },
  { name = "short", trigger = { type = "Note", note = 4 }, action = { type = "Keystroke", keys = "d" } },
  { name = "two", trigger = { type = "Note", note = 5 }, action = { type = "ModeChange", mode = "Two" } },
]
[[modes]]
name = "Two"
`

func program(t testing.TB) *engine.Program {
	t.Helper()
	p, problems := config.Load("test.toml", []byte(configuration))
	if p == nil {
		t.Fatal(problems)
	}
	return p
}

// backend is a fake that fails when told to.
type backend struct {
	name  string
	did   chan string   // what was performed
	opens chan error    // what each Open returns; closed: nil
	again chan struct{} // lets Await return
	gate  chan struct{} // not nil: each Do takes one first
	fail  chan error    // what Do returns next, if there is something
	fate  chan string   // "open", "close"
	deaf  bool          // performs no action
}

func newBackend(name string) *backend {
	b := &backend{
		name: name, did: make(chan string, 4096), opens: make(chan error, 16), again: make(chan struct{}, 16),
		fail: make(chan error, 16), fate: make(chan string, 64),
	}
	return b
}

func (b *backend) Name() string { return b.name }

func (b *backend) Open(context.Context) error {
	select {
	case err := <-b.opens:
		return err
	default:
		b.fate <- "open"
		return nil
	}
}

func (b *backend) Await(ctx context.Context) error {
	select {
	case <-b.again:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *backend) Performs(effect.Action) bool { return !b.deaf }

func (b *backend) Do(x *effect.Effect) error {
	if b.gate != nil {
		<-b.gate
	}
	select {
	case err := <-b.fail:
		return err
	default:
	}
	word := map[effect.Kind]string{effect.Act: "act", effect.KeyDown: "down", effect.KeyUp: "up"}[x.Kind]
	b.did <- word + " " + x.Origin.ID
	return nil
}

func (b *backend) Close() error {
	b.fate <- "close"
	return nil
}

// all is what was done since the last time.
func (b *backend) all() string {
	var out []string
	for range len(b.did) {
		out = append(out, <-b.did)
	}
	return strings.Join(out, ", ")
}

// observer keeps what it is told.
type observer struct {
	mu       sync.Mutex
	events   []string
	backends []string
	fault    *report.Fault // the last that made a backend unusable
	changes  int
}

func (o *observer) Event(e report.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch e.Kind {
	case report.ModeChanged:
		o.events = append(o.events, fmt.Sprintf("%s to %s by %s", e.Old, e.New, e.Cause))
	case report.Emitted:
		o.events = append(o.events, fmt.Sprintf("%s says %s %s%v", e.Mapping, e.Name, e.Text, e.Number))
	default:
		o.events = append(o.events, e.Mapping+": "+e.Error)
	}
}

func (o *observer) Changed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
}

func (o *observer) Backend(name string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.backends = append(o.backends, fmt.Sprint(name, " ", err))
	if f, ok := errors.AsType[*report.Fault](err); ok {
		o.fault = f
	}
}

func (o *observer) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.events
	o.events = nil
	return out
}

// stage is a running loop with one port.
type stage struct {
	*loop.Loop
	t        *testing.T
	now      func() time.Duration
	observer *observer
	stop     func()
}

func start(t *testing.T, c loop.Config) *stage {
	t.Helper()
	began := time.Now()
	o := &observer{}
	c.Engine, c.Observer, c.Log = engine.New(program(t)), o, slog.New(slog.DiscardHandler)
	c.Now = func() time.Duration { return time.Since(began) }
	s := &stage{Loop: loop.New(c), t: t, now: c.Now, observer: o}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	s.stop = func() { cancel(); <-ended }
	t.Cleanup(s.stop)
	s.do(func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		e.Attach(0, engine.Any)
		return out
	})
	synctest.Wait() // the backends are open
	return s
}

func (s *stage) do(c loop.Change) {
	s.t.Helper()
	if err := s.Do(s.t.Context(), c); err != nil {
		s.t.Error(err)
	}
}

func (s *stage) play(kind engine.Kind, note uint8) {
	m := engine.Message{Kind: kind, Number: note}
	if kind == engine.NoteOn {
		m.Value = 100
	}
	s.Deliver(engine.Input{At: s.now(), Message: m})
}

// settle waits until everything that was played has been done.
func (s *stage) settle() {
	s.t.Helper()
	synctest.Wait()
	s.do(func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect { return out })
	synctest.Wait()
}

func (s *stage) events(want ...string) {
	s.t.Helper()
	if got := s.observer.take(); !slices.Equal(got, want) {
		s.t.Errorf("events %q, want %q", got, want)
	}
}

func is(t *testing.T, b *backend, want string) {
	t.Helper()
	if got := b.all(); got != want {
		t.Errorf("did %q, want %q", got, want)
	}
}

func TestTapIsPressedAndReleasedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, process := newBackend("keys"), newBackend("process")
		s := start(t, loop.Config{Backends: []loop.Backend{keys, process}})
		s.play(engine.NoteOn, 1)
		time.Sleep(20*time.Millisecond - 1)
		synctest.Wait()
		is(t, keys, "down tap")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		is(t, keys, "up tap")
		s.play(engine.NoteOn, 3)
		s.settle()
		is(t, process, "act run")
		is(t, keys, "")
		s.events()
	})
}

func TestEventsThatWaitComeBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		for range 20 { // select is fair: by chance the release would often come first
			s.play(engine.NoteOn, 4)
			s.settle()
			// The loop is kept busy past the deadline, while the release, made before it, waits.
			entered, leave := make(chan struct{}), make(chan struct{})
			go s.do(func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
				close(entered)
				<-leave
				return out
			})
			<-entered
			time.Sleep(400 * time.Millisecond)
			s.play(engine.NoteOff, 4)
			time.Sleep(200 * time.Millisecond)
			close(leave)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			is(t, keys, "down short, up short")
		}
	})
}

func TestCommandsSeeWhatWasPlayedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		for range 100 { // select is fair: by chance the command would often come first
			s.play(engine.NoteOn, 2)
			held := 0
			s.do(func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
				held = e.Held()
				return out
			})
			if held != 1 {
				t.Fatalf("%d keys are held", held)
			}
			s.play(engine.NoteOff, 2)
		}
	})
}

func TestKeysBeforeTheirDeviceAreRefusedAndNotReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		keys.opens <- &report.Fault{Check: "keys", Err: report.ErrKeysUnavailable}
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		s.settle()
		s.events("held: keys-unavailable")
		keys.again <- struct{}{}
		time.Sleep(time.Second)
		s.play(engine.NoteOff, 2)
		s.settle()
		is(t, keys, "")
		s.play(engine.NoteOn, 2)
		s.settle()
		is(t, keys, "down held")
		s.observer.mu.Lock()
		defer s.observer.mu.Unlock()
		if want := []string{"keys no keyboard device to press keys with", "keys <nil>"}; !slices.Equal(s.observer.backends, want) {
			t.Errorf("told %q", s.observer.backends)
		}
	})
}

func TestLostBackendIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		s.settle()
		is(t, keys, "down held")
		keys.fail <- fmt.Errorf("gone: %w", report.ErrKeysUnavailable)
		s.play(engine.NoteOn, 1)
		s.settle()
		s.events("tap: keys-unavailable")
		s.play(engine.NoteOff, 2) // the key went with the device
		s.settle()
		time.Sleep(time.Second)
		is(t, keys, "")
		s.play(engine.NoteOn, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		is(t, keys, "down tap, up tap")
	})
}

func TestFailureIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, process := newBackend("keys"), newBackend("process")
		s := start(t, loop.Config{Backends: []loop.Backend{keys, process}})
		process.fail <- errors.New("no")
		s.play(engine.NoteOn, 3)
		s.settle()
		s.events("run: action-failed")
		stats, err := s.Stats(t.Context())
		if err != nil || stats.Performed != 1 || stats.Failed != 1 || stats.Received != 1 {
			t.Errorf("%+v, %v", stats, err)
		}
	})
}

func TestFullQueueRefusesPressesAndNeverReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		keys.gate = make(chan struct{}) // the backend hangs
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		const presses = 3 * loop.Places
		for range presses {
			s.play(engine.NoteOn, 2)
			s.play(engine.NoteOff, 2)
		}
		s.settle()
		refused := len(s.observer.take())
		close(keys.gate)
		synctest.Wait()
		did := strings.Split(keys.all(), ", ")
		downs, ups := 0, 0
		for i, d := range did {
			if want := []string{"down held", "up held"}[i%2]; d != want {
				t.Fatalf("%d is %q, want %q", i, d, want)
			}
			if d == "down held" {
				downs++
			} else {
				ups++
			}
		}
		if downs != ups || downs+refused != presses || downs < loop.Places {
			t.Errorf("%d downs, %d ups, %d refused", downs, ups, refused)
		}
		s.play(engine.NoteOn, 2) // and it goes on
		s.settle()
		is(t, keys, "down held")
	})
}

func TestManyHeldKeysAllComeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		keys.gate = make(chan struct{})
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		for c := range uint8(16) { // the same pad on each channel, all down at once
			s.Deliver(engine.Input{At: s.now(), Message: engine.Message{Kind: engine.NoteOn, Channel: c, Number: 2, Value: 1}})
		}
		s.settle()
		s.do(func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
			return e.Release(effect.ByPanic, now, out)
		})
		close(keys.gate)
		synctest.Wait()
		if got := keys.all(); strings.Count(got, "down") != 16 || strings.Count(got, "up") != 16 {
			t.Error(got)
		}
	})
}

func TestModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, loop.Config{})
		if m := s.Modes(); m.Mode != "One" || m.BaseMode != "One" || !slices.Equal(m.All, []string{"One", "Two"}) {
			t.Errorf("%+v", m)
		}
		s.play(engine.NoteOn, 5)
		s.settle()
		s.events("One to Two by mapping")
		if m := s.Modes(); m.Mode != "Two" || m.BaseMode != "Two" {
			t.Errorf("%+v", m)
		}
		p, _ := config.Load("", []byte("[[modes]]\nname = \"Three\""))
		s.do(func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
			return e.Swap(p, now, out)
		})
		s.events("Two to Three by reload")
		if m := s.Modes(); m.Mode != "Three" || !slices.Equal(m.All, []string{"Three"}) {
			t.Errorf("%+v", m)
		}
	})
}

func TestWithoutBackends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, loop.Config{})
		s.play(engine.NoteOn, 1)
		s.play(engine.NoteOn, 3)
		s.settle()
		s.events("tap: keys-unavailable", "run: process-unavailable")
	})
}

func TestStopReleasesAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		s.settle()
		began := time.Now()
		s.stop()
		is(t, keys, "down held, up held")
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		if err := s.Do(t.Context(), nil); !errors.Is(err, report.ErrStopping) {
			t.Errorf("a command after the end: %v", err)
		}
		for range 2 * loop.Waiting {
			s.play(engine.NoteOn, 2) // must not block
		}
		if got := []string{<-keys.fate, <-keys.fate}; !slices.Equal(got, []string{"open", "close"}) {
			t.Error(got)
		}
	})
}

func TestStopDoesNotWaitForAHangingBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		keys.gate = make(chan struct{})
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		s.settle()
		began := time.Now()
		s.stop()
		if took := time.Since(began); took != loop.StopWithin {
			t.Errorf("it took %v", took)
		}
		close(keys.gate)
	})
}

// dog counts how often it is fed.
type dog struct{ fed chan time.Time }

func (d dog) Alive()                  { d.fed <- time.Now() }
func (d dog) Watchdog() time.Duration { return 30 * time.Second }

func TestWatchdogIsFedByTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dog{make(chan time.Time, 100)}
		s := start(t, loop.Config{Watchdog: d})
		time.Sleep(60*time.Second + 1)
		synctest.Wait()
		if n := len(d.fed); n != 6 {
			t.Errorf("fed %d times a minute", n)
		}
		for range len(d.fed) {
			<-d.fed
		}
		leave := make(chan struct{})
		go s.do(func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
			<-leave
			return out
		})
		time.Sleep(60 * time.Second)
		if n := len(d.fed); n != 0 {
			t.Errorf("a loop that hangs fed the watchdog %d times", n)
		}
		close(leave)
	})
}

// recorder is a dry run that can be made to hang.
type recorder struct {
	*backend
	dropped int // the loop's
}

func (r *recorder) Dropped() { r.dropped++ }

func TestDryRunRecordsAndPerformsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, r := newBackend("keys"), &recorder{backend: newBackend("dry-run")}
		s := start(t, loop.Config{Backends: []loop.Backend{keys}, Recorder: r})
		s.play(engine.NoteOn, 1)
		time.Sleep(time.Second)
		s.play(engine.NoteOn, 2)
		s.play(engine.NoteOn, 3)
		s.play(engine.NoteOn, 5)
		s.play(engine.NoteOff, 2)
		s.settle()
		is(t, r.backend, "act tap, act held, act run, act two, up held")
		is(t, keys, "")
		s.events("One to Two by mapping")
	})
}

func TestDryRunDropsWhatAStalledReaderDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{backend: newBackend("dry-run")}
		r.gate = make(chan struct{})
		s := start(t, loop.Config{Recorder: r})
		for range 1000 {
			s.play(engine.NoteOn, 2)
			s.play(engine.NoteOff, 2)
		}
		s.settle()
		dropped := 0
		s.do(func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
			dropped = r.dropped
			return out
		})
		if want := 2000 - loop.Places - 1; dropped != want { // one is in the reader's hand
			t.Errorf("%d dropped, want %d", dropped, want)
		}
		close(r.gate)
	})
}
