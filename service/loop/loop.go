package loop

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Waiting is how many inputs may wait. A reader that finds no place blocks, and the kernel
// keeps what comes.
const Waiting = 256

// StopWithin is how long the sinks may take to perform what is queued when the loop ends.
const StopWithin = 500 * time.Millisecond

// Config is what a Loop needs. All but Wall, Recorder and Watchdog must be there.
type Config struct {
	Engine   *engine.Engine
	Now      func() time.Duration // monotonic: the clock of the inputs
	Wall     func() time.Time     // local time, for conditions; nil: there is none
	Backends []Backend
	Recorder Recorder // not nil: a dry run, Backends are not used
	Observer Observer
	Watchdog Watchdog
	Stats    report.Stats // what was counted before
	Log      *slog.Logger
}

// A Loop owns an engine. Run does the work, every other method may be called from anywhere.
type Loop struct {
	engine   *engine.Engine
	now      func() time.Duration
	wall     func() time.Time
	observer Observer
	watchdog Watchdog
	log      *slog.Logger
	sinks    []*sink
	routes   [routes]*sink // nil: there is none
	recorder Recorder
	record   *sink

	inputs   chan engine.Input
	commands chan command
	done     chan struct{} // closed when nothing is taken any more
	modes    atomic.Pointer[Modes]
	moved    chan struct{}

	// The rest is Run's own.
	timer   *time.Timer
	armed   time.Duration // what timer waits for; unarmed: nothing
	in      engine.Input
	out     []effect.Effect
	program *engine.Program // as published, and the two below
	mode    int
	base    int
	holds   uint32
	clock   bool          // the program asks for the time
	world   *effect.World // as the engine has it
	stats   report.Stats
	took    latency
	watched []watcher
	failing *[]report.Event // see command.tell
}

const unarmed = time.Duration(-1)

// A Change is done by the loop: it may use the engine, and what it appends is performed.
type Change = func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect

// command is something for the loop to do: a change, a failure, or a sink that came or went.
type command struct {
	change Change
	sink   *sink
	ready  bool
	failed *report.Event
	of     *effect.Effect  // that failed
	tell   *[]report.Event // of what change did came to nothing; nil: nobody asks
	ack    chan struct{}
}

// New makes a loop. Nothing is performed before Run.
func New(c Config) *Loop {
	l := &Loop{
		engine: c.Engine, now: c.Now, wall: c.Wall, world: &effect.World{}, observer: c.Observer, watchdog: c.Watchdog, log: c.Log, recorder: c.Recorder,
		inputs: make(chan engine.Input, Waiting), commands: make(chan command), done: make(chan struct{}),
		moved: make(chan struct{}, 1), stats: c.Stats,
		out: make([]effect.Effect, 0, 64), armed: unarmed,
	}
	if c.Recorder != nil {
		l.record = newSink(l, c.Recorder)
		l.sinks = []*sink{l.record}
	} else {
		for _, b := range c.Backends {
			s := newSink(l, b)
			l.sinks = append(l.sinks, s)
			if r := slices.Index(backends[:], b.Name()); r > int(alone) {
				l.routes[r] = s
			}
		}
	}
	l.publish()
	return l
}

// Deliver takes an input. It blocks while too many wait, and does nothing once the loop ends.
func (l *Loop) Deliver(in engine.Input) {
	select {
	case l.inputs <- in:
	case <-l.done:
	}
}

// Do makes a change and returns when what came of it is handed on. Inputs delivered before
// are stepped before. Errors: ctx's, and report.ErrStopping.
func (l *Loop) Do(ctx context.Context, change Change) error {
	return l.do(ctx, command{change: change, ack: make(chan struct{})})
}

// Try is Do, and tells which actions of the change found no backend or no place.
func (l *Loop) Try(ctx context.Context, change Change) (failed []report.Event, err error) {
	err = l.do(ctx, command{change: change, tell: &failed, ack: make(chan struct{})})
	return failed, err
}

// holding are the backends that hold something down between a press and its release.
var holding = [...]route{toKeys, toMidi}

// Settle returns when what was handed to the backends that hold something down is done: after a gate
// was closed, what was held is released by then. It makes nobody wait but its caller. Errors: as Do,
// ctx's also while a backend is at it, and report.ErrBusy if too many wait already.
func (l *Loop) Settle(ctx context.Context) error {
	var marks []<-chan struct{}
	busy := false
	if err := l.Do(ctx, func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		for _, r := range holding {
			if s := l.routes[r]; s != nil && s.ready {
				m := s.mark()
				busy = busy || m == nil
				marks = append(marks, m)
			}
		}
		return out
	}); err != nil {
		return err
	}
	if busy {
		return report.ErrBusy
	}
	for _, m := range marks {
		select {
		case <-m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (l *Loop) do(ctx context.Context, c command) error {
	select {
	case l.commands <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		return report.ErrStopping
	}
	<-c.ack // the loop waits for nobody
	return nil
}

// Failed reports that an effect handed to a backend came to nothing. Word is stable, err is
// for people and may be nil.
func (l *Loop) Failed(x effect.Effect, word string, err error) {
	e := failure(&x, word, err)
	l.command(command{failed: &e, of: &x})
}

// command hands the loop a command. The loop never waits for a sink, so this is soon.
func (l *Loop) command(c command) {
	select {
	case l.commands <- c:
	case <-l.done:
	}
}

// World changes what conditions are asked of, and who has the focus: change gets a copy of
// what was told last. What it puts there is the loop's from then on. Errors: as Do.
func (l *Loop) World(ctx context.Context, change func(w *effect.World)) error {
	return l.Do(ctx, func(_ *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		w := *l.world
		change(&w)
		return l.show(&w, now, out)
	})
}

// Lock says whether the screen is locked: conditions see it, and the gate is closed as long.
// Errors: as Do.
func (l *Loop) Lock(ctx context.Context, locked bool) error {
	return l.Do(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		w := *l.world
		if w.Locked == locked {
			return out // closing a gate twice would let go twice
		}
		w.Locked = locked
		return e.SetGate(effect.Locked, locked, now, l.show(&w, now, out))
	})
}

// Modes is where the engine stands. It never blocks; the value is not changed later.
func (l *Loop) Modes() *Modes { return l.modes.Load() }

// Moved has a value after something changed that outlives us: the base mode or a toggle. One
// at a time may wait for it.
func (l *Loop) Moved() <-chan struct{} { return l.moved }

func (l *Loop) move() {
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

// Last is where the engine came to rest, and what was counted, when Run has returned.
func (l *Loop) Last() (toggles map[string]bool, stats report.Stats) {
	return l.engine.Toggles(), l.stats
}

// Stats are the counters now.
func (l *Loop) Stats(ctx context.Context) (report.Stats, error) {
	var s report.Stats
	err := l.Do(ctx, func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		s = l.stats
		s.P50, s.P99 = l.took.quantile(0.5), l.took.quantile(0.99)
		return out
	})
	return s, err
}

// ResetStats makes the counters begin anew. Errors: as Do.
func (l *Loop) ResetStats(ctx context.Context) error {
	return l.Do(ctx, func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		l.stats, l.took = report.Stats{}, latency{}
		return out
	})
}
