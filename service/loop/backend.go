// Package loop owns the engine. One goroutine takes inputs, commands and deadlines, steps the
// engine and hands what comes out to sinks, each a bounded queue with a goroutine of its own
// that performs. On the way of a note there is no lock, no allocation, no bus and no disk.
//
// Where inputs come from and who reads what is published is decided elsewhere.
package loop

import (
	"context"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// A Backend performs effects. One goroutine owns it and calls nothing concurrently, save
// Await, which may run while Do is not called.
type Backend interface {
	// Name is the check that speaks for it, and says which actions come to it: see BackendOf.
	Name() string
	// Open makes it ready. A *report.Fault says how to mend it.
	Open(ctx context.Context) error
	// Await returns nil when Open is worth another try, or ctx's error.
	Await(ctx context.Context) error
	// Do performs one effect, which it does not keep. An error that wraps report.ErrKeysUnavailable means that the
	// backend is lost and must be opened again.
	Do(x *effect.Effect) error
	Close() error
}

// A Detector can say, before it is opened and without starting anybody, what it would work with: the
// check is OK and names that. Otherwise it says why there is nothing. It is no part of the note's
// path.
type Detector interface {
	Detect(ctx context.Context) report.Check
}

// A Performer is a Backend that performs actions. One that is none gets what goes down and
// comes up, and nothing else.
type Performer interface {
	Backend
	// Performs says whether Do is to get the Act of such an action. Panic, which all
	// performers are asked for, is to silence what was played. The loop calls it, at any time.
	Performs(a effect.Action) bool
}

// A Frail is a Backend that can be lost while nothing is asked of it. It is opened again then.
type Frail interface {
	Backend
	// Lost is asked for after each Open and closed when what that opened is gone.
	Lost() <-chan struct{}
}

// A Deferrer is a Backend that may return from Do before the outcome is known.
type Deferrer interface {
	Backend
	// Defer gives it, before the first Open, what to call with an effect that failed later and
	// why: from any goroutine, and with a copy of the effect.
	Defer(failed func(x effect.Effect, err error))
}

// A Witness is told what conditions are asked of, and who has the focus, whenever that changes.
type Witness interface {
	Backend
	// See gets what is never changed later. The loop calls it, at any time: it must not block.
	See(w *effect.World)
}

// A Recorder is told of every action in the place of the backends: a dry run. It gets each
// Act, and the KeyUp of each action that was held; a tap is over by itself.
type Recorder interface {
	Backend
	// Dropped says that an effect found no place in the queue. It is called by the loop.
	Dropped()
}

// An Observer is told what happens. The loop and the sinks call it: it must not block.
type Observer interface {
	// Event is something that happened.
	Event(e report.Event)
	// Changed says that Modes has come to answer differently.
	Changed()
	// Backend says that a backend is ready (nil) or why it is not.
	Backend(name string, err error)
}

// A Watchdog is fed from the loop's own timer, so that it sees when the loop hangs.
type Watchdog interface {
	// Alive feeds it.
	Alive()
	// Watchdog is the time within which Alive must be called again; 0: none.
	Watchdog() time.Duration
}

// Modes is where the engine stands.
type Modes struct {
	Mode, BaseMode string
	All            []string
	Held           []uint32        // ids of the modes that are held, oldest first
	Program        *engine.Program // that acts
}
