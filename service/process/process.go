// Package process starts programs and looks after them: commands of the user's, applications,
// and what opens a file. What one is for is not its business, and no command line leaves it. How a
// platform finds an application, and where it keeps one that is to outlive midimon, is the
// Platform's.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// causes are the variables in which a command learns what caused it: the mapping's id, the mode
// that acted, the velocity or value (0-127, 14 bits 0-16383), an encoder's steps, and of a
// VelocityRange how hard the hit was (soft, medium or hard). MIDI is never put into the text of a
// command.
var causes = []string{"MIDIMON_MAPPING", "MIDIMON_MODE", "MIDIMON_VALUE", "MIDIMON_STEPS", "MIDIMON_HIT"}

// Limit is how many commands may run at once.
const Limit = 32

// The words for why a program failed.
const (
	ExitStatus = "exit-status"
	TimedOut   = "timed-out"
	NotStarted = "not-started"
	TooMany    = "too-many-commands"
)

// A Platform knows the applications of the desktop, and may have a place for programs.
type Platform interface {
	// Find says what a Launch or Open starts.
	Find(a effect.Action) (effect.Command, error)
	// Run starts a command and returns when it has ended, or when it has started if it lasts. What it
	// writes goes to out, where that is not nil; Run does not close it. Errors: a
	// *report.Ended for one that ran, errors.ErrUnsupported if the platform has no place for programs
	// now. When ctx ends Run returns and leaves the program to itself.
	Run(ctx context.Context, c *effect.Command, out *os.File) error
	// Failed is told, from any goroutine, of a program that lasts and for which Run found no place: it was
	// not started, or has ended in failure.
	Failed(c *effect.Command)
	// Watch tells whether there is such a place (nil) or why not, now and whenever that changes,
	// until ctx is done.
	Watch(ctx context.Context, tell func(error))
}

// Config is what a Backend needs.
type Config struct {
	Platform Platform // nil: there is neither an application nor a place
	Private  []string // variables of our environment that no program must see
	// Fail is called, from any goroutine, for each program that did not succeed.
	Fail func(x effect.Effect, word string, err error)
	// Contained is told why programs are not contained, or nil.
	Contained func(error)
	Log       *slog.Logger
}

// A Backend performs Shell, by /bin/sh, and with a Platform Launch and Open.
type Backend struct {
	Config
	env     []string
	places  chan struct{}
	running sync.WaitGroup
	end     context.CancelCauseFunc
	ctx     context.Context
}

// errClosed is why a program ended that Close ended.
var errClosed = errors.New("midimon stopped")

// New makes a backend.
func New(c Config) *Backend {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(c.Private, name) || slices.Contains(causes, name)
	})
	return &Backend{Config: c, env: env, places: make(chan struct{}, Limit)}
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "process" }

// Open makes it ready; it cannot fail.
func (b *Backend) Open(ctx context.Context) error {
	b.ctx, b.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if b.Platform != nil {
		b.running.Go(func() { b.Platform.Watch(b.ctx, b.Contained) })
	}
	return nil
}

// Await has nothing to wait for.
func (*Backend) Await(ctx context.Context) error { return ctx.Err() }

// Performs says that it performs Shell and, with a Platform, Launch and Open.
func (b *Backend) Performs(a effect.Action) bool {
	switch a.(type) {
	case *effect.Shell:
		return true
	case *effect.Launch, *effect.Open:
		return b.Platform != nil
	}
	return false
}

// Do starts the program and does not wait for it.
func (b *Backend) Do(x *effect.Effect) error {
	if x.Kind != effect.Act || !b.Performs(x.Action) {
		return nil
	}
	select {
	case b.places <- struct{}{}:
	default:
		b.Fail(*x, TooMany, fmt.Errorf("%d commands run already", Limit))
		return nil
	}
	mine := *x
	b.running.Go(func() {
		defer func() { <-b.places }()
		if err := b.perform(&mine); err != nil && !errors.Is(context.Cause(b.ctx), errClosed) {
			b.Fail(mine, word(err), err)
		}
	})
	return nil
}

func word(err error) string {
	switch e, ok := errors.AsType[*report.Ended](err); {
	case !ok:
		return NotStarted
	case e.TimedOut:
		return TimedOut
	}
	return ExitStatus
}

// perform finds and runs a program.
func (b *Backend) perform(x *effect.Effect) error {
	c, err := b.command(x)
	if err != nil {
		return err
	}
	var out *output
	if !c.Lasting {
		if out, err = newOutput(b.Log.With("mapping", mapping(x), "program", c.Name)); err != nil {
			return err
		}
		defer out.finish()
	}
	if b.Platform != nil {
		if err := b.Platform.Run(b.ctx, &c, out.file()); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	err = b.child(&c, out.file())
	if err != nil && c.Lasting {
		b.Platform.Failed(&c)
	}
	return err
}

// command is what an effect starts. What came from the controller is in its environment only.
func (b *Backend) command(x *effect.Effect) (c effect.Command, err error) {
	if s, ok := x.Action.(*effect.Shell); ok {
		c = effect.Command{Name: s.Program(), Argv: []string{"/bin/sh", "-c", s.Command}, Timeout: s.Timeout}
	} else if c, err = b.Platform.Find(x.Action); err != nil {
		return c, err
	} else {
		c.Lasting = true
	}
	c.Env = append(c.Env,
		"MIDIMON_MAPPING="+mapping(x), "MIDIMON_MODE="+x.Mode,
		"MIDIMON_VALUE="+strconv.Itoa(int(x.Value)), "MIDIMON_STEPS="+strconv.Itoa(int(x.Steps)))
	if x.Hit != effect.NoHit {
		c.Env = append(c.Env, "MIDIMON_HIT="+x.Hit.String())
	}
	return c, nil
}

func mapping(x *effect.Effect) string {
	if x.Origin == nil {
		return ""
	}
	return x.Origin.ID
}

// Close kills the children that still run and waits until they are reaped. Programs in the
// platform's place go on.
func (b *Backend) Close() error {
	b.end(errClosed)
	b.running.Wait()
	return nil
}
