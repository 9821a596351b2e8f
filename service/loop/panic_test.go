package loop_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/loop"
)

// brittle panics where it is told to.
type brittle struct {
	*backend
	at    string // "open", "await", "act", "down", "up"
	close func() error
}

func (b *brittle) panicAt(where string) {
	if b.at == where {
		panic("broken at " + where)
	}
}

func (b *brittle) Open(ctx context.Context) error {
	b.panicAt("open")
	return b.backend.Open(ctx)
}

func (b *brittle) Await(ctx context.Context) error {
	b.panicAt("await")
	return b.backend.Await(ctx)
}

func (b *brittle) Do(x *effect.Effect) error {
	b.panicAt(map[effect.Kind]string{effect.Act: "act", effect.KeyDown: "down", effect.KeyUp: "up"}[x.Kind])
	return b.backend.Do(x)
}

func (b *brittle) Close() error {
	if b.close != nil {
		return b.close()
	}
	return b.backend.Close()
}

// fate is what became of a backend, in order.
func (b *brittle) fates() string {
	var out []string
	for range len(b.fate) {
		out = append(out, <-b.fate)
	}
	return strings.Join(out, " ")
}

func TestABackendThatPanicsIsDeadAndTheOthersGoOn(t *testing.T) {
	for _, c := range []struct {
		at, keys, process string // what both did
		fate              string
		events            []string
	}{
		{"open", "", "act run, act run", "", []string{"held: keys-unavailable", "held: keys-unavailable"}},
		{"await", "", "act run, act run", "", []string{"held: keys-unavailable", "held: keys-unavailable"}},
		{"down", "", "act run, act run", "open close", []string{"held: keys-unavailable", "held: keys-unavailable"}},
		{"up", "down held", "act run, act run", "open close", []string{"held: keys-unavailable"}},
	} {
		t.Run(c.at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				keys, process := &brittle{backend: newBackend("keys"), at: c.at}, newBackend("process")
				if c.at == "await" {
					keys.opens <- errors.New("not yet")
				}
				s := start(t, loop.Config{Backends: []loop.Backend{keys, process}})
				for range 2 {
					for _, note := range []uint8{2, 3} { // held, run
						s.play(engine.NoteOn, note)
						s.settle()
						s.play(engine.NoteOff, note)
						s.settle()
					}
				}
				time.Sleep(time.Hour) // it is never opened again
				is(t, keys.backend, c.keys)
				is(t, process, c.process)
				s.events(c.events...)
				if got := keys.fates(); got != c.fate {
					t.Errorf("it saw %q, want %q", got, c.fate)
				}
				s.observer.mu.Lock()
				defer s.observer.mu.Unlock()
				want := "keys it panicked and is out of use until midimon is restarted: broken at " + c.at
				if !slices.Contains(s.observer.backends, want) {
					t.Errorf("people read %q, want %q", s.observer.backends, want)
				}
				if f := s.observer.fault; f == nil || f.Check != "keys" || f.Fix != "midimonctl restart" {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}

// What was held when it panicked is released: by its Close.
func TestWhatAPanickingBackendHoldsIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := &brittle{backend: newBackend("keys"), at: "act"}
		keys.close = func() error { keys.did <- "up all"; return nil }
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		s.settle()
		is(t, keys.backend, "down held")
		s.as("run", &effect.Text{Text: "x"})
		s.play(engine.NoteOn, 3)
		s.settle()
		is(t, keys.backend, "up all")
		s.do(func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
			if n := e.Held(); n != 0 {
				t.Errorf("%d are held", n)
			}
			return out
		})
		s.events("run: keys-unavailable")
		s.play(engine.NoteOff, 2)
		s.settle()
		is(t, keys.backend, "")
	})
}

// A dead backend of another kind may even hang: the loop ends all the same.
func TestAPanickingBackendThatDoesNotClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		process := &brittle{backend: newBackend("process"), at: "act"}
		leave := make(chan struct{})
		process.close = func() error { <-leave; panic("broken at close") }
		s := start(t, loop.Config{Backends: []loop.Backend{process}})
		s.play(engine.NoteOn, 3)
		s.settle()
		time.Sleep(time.Minute)
		s.play(engine.NoteOn, 3)
		s.settle()
		s.events("run: process-unavailable", "run: process-unavailable")
		close(leave)
		s.stop()
	})
}

// keysThatStay says what to do in the process that is to end.
const keysThatStay = "KEYS_THAT_STAY"

// Where keys could stay down, the process ends: the kernel lets go of them then.
func TestKeysThatCannotBeReleasedEndTheProcess(t *testing.T) {
	if how := os.Getenv(keysThatStay); how != "" {
		synctest.Test(t, func(t *testing.T) {
			keys := &brittle{backend: newBackend("keys"), at: "up"}
			keys.close = func() error {
				if how == "hang" {
					select {}
				}
				panic("broken at close")
			}
			s := start(t, loop.Config{Backends: []loop.Backend{keys}})
			s.play(engine.NoteOn, 2)
			s.settle()
			s.play(engine.NoteOff, 2)
			time.Sleep(time.Hour)
		})
		os.Exit(0)
	}
	for _, how := range []string{"panic", "hang"} {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), keysThatStay+"="+how)
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "panic: keys may be held that only the end of midimon releases") {
			t.Errorf("%s: %v\n%s", how, err, out)
		}
	}
}

func TestSettleWaitsForTheRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, process := newBackend("keys"), newBackend("process")
		keys.gate, process.gate = make(chan struct{}), make(chan struct{})
		s := start(t, loop.Config{Backends: []loop.Backend{keys, process}})
		s.play(engine.NoteOn, 3) // a program hangs: that holds nothing
		s.play(engine.NoteOn, 2)
		keys.gate <- struct{}{}
		s.do(func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
			return e.SetGate(effect.Inactive, true, now, out)
		})
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Settle(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the release is not done: %v", err)
		}
		settled := make(chan error, 1)
		go func() { settled <- s.Settle(t.Context()) }()
		synctest.Wait()
		is(t, keys, "down held")
		if len(settled) > 0 {
			t.Error("settled while the release is not done")
		}
		keys.gate <- struct{}{}
		if err := <-settled; err != nil {
			t.Error(err)
		}
		is(t, keys, "up held")
		close(process.gate)
	})
}

func TestSettleOfABackendThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		keys.gate = make(chan struct{})
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		settled := make(chan error, 1)
		go func() { settled <- s.Settle(t.Context()) }()
		synctest.Wait()
		keys.fail <- report.ErrKeysUnavailable
		keys.opens <- errors.New("gone")
		keys.gate <- struct{}{}
		if err := <-settled; err != nil { // closed, it holds nothing
			t.Error(err)
		}
		if err := s.Settle(t.Context()); err != nil { // nor while it is not open
			t.Error(err)
		}
		close(keys.gate)
	})
}

func TestOnlySoManySettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		keys.gate = make(chan struct{})
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.play(engine.NoteOn, 2)
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 1024)
		for range cap(errs) {
			go func() { errs <- s.Settle(ctx) }()
		}
		synctest.Wait()
		if err := <-errs; !errors.Is(err, report.ErrBusy) {
			t.Error(err)
		}
		cancel()
		close(keys.gate)
	})
}
