package loop_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/loop"
)

// fault is what can be wrong with a backend, or with whom it works for, for a while.
type fault struct {
	name  string
	begin func(f *faulty)                            // what happens by itself; nil: nothing
	open  func(ctx context.Context, f *faulty) error // nil: it opens
	await func(ctx context.Context) error            // nil: it waits for the end of the fault
	do    func(f *faulty, x *effect.Effect) error    // nil: it performs
	words string                                     // why actions failed meanwhile, each once, as they first came
}

var errFault = errors.New("it is at fault")

// A fault that outlasts its queue fills it: then what comes is refused.
const full = "queue-full"

var faults = []fault{
	{name: "hangs", words: full, do: func(f *faulty, _ *effect.Effect) error {
		<-f.ends
		return nil
	}},
	{name: "is slow", words: full, do: func(f *faulty, _ *effect.Effect) error {
		select {
		case <-time.After(time.Second):
		case <-f.ends:
		}
		return nil
	}},
	{name: "hangs, and fails in the end", words: full + " action-failed", do: func(f *faulty, _ *effect.Effect) error {
		<-f.ends
		return errFault
	}},
	{name: "fails", words: "action-failed", do: func(*faulty, *effect.Effect) error { return errFault }},
	{name: "fails and does it all the same", words: "action-failed", do: func(f *faulty, x *effect.Effect) error {
		f.failed(*x, errFault)
		return nil
	}},
	{name: "dies of what it is to do", words: "action-failed unavailable", open: closed, do: func(f *faulty, _ *effect.Effect) error {
		select {
		case <-f.lost:
		default:
			close(f.lost)
		}
		return errFault
	}},
	{name: "is lost with what it is to do", words: "unavailable", open: closed, do: func(*faulty, *effect.Effect) error {
		return report.ErrKeysUnavailable
	}},
	{name: "dies by itself", words: "unavailable", begin: die, open: closed},
	{name: "dies, and hangs when it is opened", words: "unavailable", begin: die, open: func(ctx context.Context, f *faulty) error {
		select {
		case <-ctx.Done():
		case <-f.ends:
		}
		return ctx.Err()
	}},
	{name: "dies, and says that it is back", words: "unavailable", begin: die, open: closed, await: func(context.Context) error { return nil }},
	{name: "dies, and cannot be waited for", words: "unavailable", begin: die, open: closed, await: func(context.Context) error { return errFault }},
	{name: "dies whenever it is opened", begin: die, words: "unavailable", open: func(_ context.Context, f *faulty) error {
		f.lost = make(chan struct{})
		close(f.lost)
		return nil
	}, do: func(*faulty, *effect.Effect) error { return report.ErrKeysUnavailable }},
	{name: "tells of failures that nobody asked for", begin: func(f *faulty) {
		go func() {
			for range 10_000 {
				f.failed(effect.Effect{Origin: &effect.Origin{ID: "flood"}}, errFault)
				f.failed(effect.Effect{}, nil)
			}
		}()
	}},
}

func die(f *faulty) { close(f.lost) }

func closed(context.Context, *faulty) error { return errFault }

// faulty is a backend that is well, but for a fault between begins and ends.
type faulty struct {
	name         string
	fault        *fault
	begins, ends chan struct{} // closed when the fault does
	over         sync.Once     // of ends
	did          chan string
	opens        chan struct{} // has a value for each Open
	lost         chan struct{}
	failed       func(effect.Effect, error)
}

func newFaulty(name string, of *fault) *faulty {
	return &faulty{
		name: name, fault: of, begins: make(chan struct{}), ends: make(chan struct{}),
		did: make(chan string, 4*loop.Places), opens: make(chan struct{}, 1<<16),
	}
}

// now says whether it is at fault.
func (f *faulty) now() bool {
	select {
	case <-f.ends:
		return false
	default:
	}
	select {
	case <-f.begins:
		return true
	default:
		return false
	}
}

func (f *faulty) begin() {
	close(f.begins)
	if f.fault.begin != nil {
		f.fault.begin(f)
	}
}

// end ends the fault, once.
func (f *faulty) end() { f.over.Do(func() { close(f.ends) }) }

func (f *faulty) Name() string                            { return f.name }
func (f *faulty) Performs(effect.Action) bool             { return true }
func (f *faulty) Lost() <-chan struct{}                   { return f.lost }
func (f *faulty) Close() error                            { return nil }
func (f *faulty) Defer(failed func(effect.Effect, error)) { f.failed = failed }

func (f *faulty) Open(ctx context.Context) error {
	f.opens <- struct{}{}
	if f.now() && f.fault.open != nil {
		return f.fault.open(ctx, f)
	}
	f.lost = make(chan struct{})
	return nil
}

func (f *faulty) Await(ctx context.Context) error {
	if f.now() && f.fault.await != nil {
		return f.fault.await(ctx)
	}
	select {
	case <-f.ends:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *faulty) Do(x *effect.Effect) error {
	if f.now() && f.fault.do != nil {
		if err := f.fault.do(f, x); err != nil {
			return err
		}
	}
	f.did <- x.Origin.ID
	return nil
}

// tally counts what came of actions.
type tally struct {
	failed int      // of the mapping "run"
	all    int      // of anybody
	words  []string // why, each once
}

func (s *stage) tally(n *tally, backend string) {
	for _, e := range s.observer.take() {
		n.all++
		word, ok := strings.CutPrefix(e, "run: ")
		if !ok {
			continue
		}
		n.failed++
		word = strings.TrimPrefix(word, backend+"-")
		if !strings.Contains(" "+strings.Join(n.words, " ")+" ", " "+word+" ") {
			n.words = append(n.words, word)
		}
	}
}

// keysAct holds that keys come when their pad is pressed and let go of, and not a nanosecond later.
func (s *stage) keysAct(keys *backend) {
	s.t.Helper()
	began := time.Now()
	s.play(engine.NoteOn, 2)
	synctest.Wait()
	is(s.t, keys, "down held")
	s.play(engine.NoteOff, 2)
	synctest.Wait()
	is(s.t, keys, "up held")
	s.play(engine.NoteOn, 1)
	s.play(engine.NoteOff, 1)
	synctest.Wait()
	is(s.t, keys, "down tap")
	if took := time.Since(began); took != 0 {
		s.t.Errorf("the keys took %v", took)
	}
	time.Sleep(20 * time.Millisecond)
	synctest.Wait()
	is(s.t, keys, "up tap")
}

// actions is one for each backend beside the keyboard.
var actions = map[string]effect.Action{
	"process": &effect.Shell{}, "audio": &effect.VolumeControl{Operation: effect.VolumeToggle}, "media": &effect.Media{},
	"notify": &effect.Notify{}, "dbus": &effect.DBusCall{}, "midi": &effect.SendMidi{},
}

// eachFault runs a test for each backend with each fault.
func eachFault(t *testing.T, test func(t *testing.T, s *stage, keys *backend, f *faulty)) {
	for name, action := range actions {
		for i := range faults {
			t.Run(name+" "+faults[i].name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					keys, f := newBackend("keys"), newFaulty(name, &faults[i])
					s := start(t, loop.Config{Backends: []loop.Backend{f, keys}})
					t.Cleanup(f.end)
					s.as("run", action)
					test(t, s, keys, f)
				})
			})
		}
	}
}

// TestNoFaultDelaysAKey: while a backend is at fault and its pad is played on and on, keys come at once.
// What its queue has no place for is refused; of each action it is known what came of it, and when the
// fault is over the backend performs again.
func TestNoFaultDelaysAKey(t *testing.T) {
	const (
		hits = loop.Places + 150
		pace = 210 * time.Millisecond // no mapping may run a command more often than five times a second
	)
	eachFault(t, func(t *testing.T, s *stage, keys *backend, f *faulty) {
		var n tally
		hit := func() {
			s.play(engine.NoteOn, 3)
			s.play(engine.NoteOff, 3)
			synctest.Wait()
		}
		f.begin()
		began, opens := time.Now(), len(f.opens)
		for i := range hits {
			hit()
			if i%16 == 0 {
				s.keysAct(keys)
			}
			time.Sleep(pace)
			s.tally(&n, f.name)
			if waits := i + 1 - len(f.did) - n.failed; waits > loop.Places+1 { // one is in its hand
				t.Fatalf("%d wait", waits)
			}
		}
		lasted := time.Since(began)
		f.end()
		time.Sleep(time.Second)
		s.settle()
		s.tally(&n, f.name)
		if len(f.did)+n.failed != hits && f.fault.name != "fails and does it all the same" {
			t.Errorf("%d performed and %d failed of %d", len(f.did), n.failed, hits)
		}
		if got := strings.Join(n.words, " "); got != f.fault.words {
			t.Errorf("failed because %q, want %q", got, f.fault.words)
		}
		if stats, err := s.Stats(t.Context()); err != nil || stats.Failed != uint64(n.all) {
			t.Errorf("%d counted, %d told (%v)", stats.Failed, n.all, err)
		}
		if opened, most := len(f.opens)-opens, int(lasted/(100*time.Millisecond))+2; opened > most {
			t.Errorf("opened %d times in %v, want at most %d", opened, lasted, most)
		}
		// And it is well again.
		did := len(f.did)
		hit()
		s.keysAct(keys)
		if len(f.did) != did+1 {
			t.Error("it does not recover")
		}
		s.events()
	})
}

// TestNoFaultDelaysTheEnd: what is held is let go of, and the loop ends in time.
func TestNoFaultDelaysTheEnd(t *testing.T) {
	eachFault(t, func(t *testing.T, s *stage, keys *backend, f *faulty) {
		f.begin()
		s.play(engine.NoteOn, 2)
		for range 2 {
			s.play(engine.NoteOn, 3)
			s.play(engine.NoteOff, 3)
		}
		synctest.Wait()
		is(t, keys, "down held")
		began := time.Now()
		s.stop()
		if took := time.Since(began); took > loop.StopWithin {
			t.Errorf("the end took %v", took)
		}
		is(t, keys, "up held")
		f.end() // what hangs
	})
}
