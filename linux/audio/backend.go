//go:build linux

package audio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/amixer"
	"github.com/amiable-dev/midimon/linux/inotify"
	"github.com/amiable-dev/midimon/linux/pulse"
	"github.com/amiable-dev/midimon/linux/remedy"
	"github.com/amiable-dev/midimon/linux/socket"
)

// Backend performs VolumeControl.
type Backend struct {
	getenv func(string) string
	sound  string // the folder of sound devices
	failed func(effect.Effect, error)
	world  atomic.Pointer[effect.World]

	pulse *pulse.Mixer
	alsa  *amixer.Mixer // not nil: it is what is open

	lost chan struct{} // of ALSA's mixer: there is a server now
	stop func()        // ends what closes lost
}

// New makes a backend that finds sound as the environment says.
func New(getenv func(string) string) *Backend {
	if getenv == nil {
		getenv = os.Getenv
	}
	b := &Backend{getenv: getenv, sound: "/dev/snd", failed: func(effect.Effect, error) {}}
	b.pulse = pulse.New(getenv, func(x effect.Effect, err error) { b.failed(x, err) })
	return b
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "audio" }

// Performs says that it performs VolumeControl.
func (*Backend) Performs(a effect.Action) bool {
	_, ok := a.(*effect.VolumeControl)
	return ok
}

// Defer takes what to call with actions that fail after Do.
func (b *Backend) Defer(failed func(effect.Effect, error)) { b.failed = failed }

// See takes who has the focus.
func (b *Backend) See(w *effect.World) { b.world.Store(w) }

// Sound is how loud everything is, for who shows it.
func (b *Backend) Sound() *pulse.Mixer { return b.pulse }

var errNoSound = errors.New("there is no sound server, and no amixer for ALSA's mixer")

// Open finds what is there. Its error is a *report.Fault.
func (b *Backend) Open(ctx context.Context) error {
	b.alsa = nil
	if pulse.Configured(b.getenv) {
		return b.pulse.Open(ctx)
	}
	if !amixer.Available() {
		return &report.Fault{Check: b.Name(), Fix: remedy.Sound(false), Err: errNoSound}
	}
	m := amixer.New()
	if err := m.Open(); err != nil {
		return &report.Fault{Check: b.Name(), Fix: remedy.Sound(false), Err: fmt.Errorf("there is no sound server, and %w", err)}
	}
	b.alsa = m
	b.watch()
	return nil
}

// watch makes lost tell when a server comes, which is the better way then.
func (b *Backend) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	lost := make(chan struct{})
	b.lost = lost
	var watching sync.WaitGroup
	watching.Go(func() {
		if socket.Await(ctx, pulse.Paths(b.getenv)...) == nil {
			close(lost)
		}
	})
	b.stop = func() { cancel(); watching.Wait() }
}

// Lost is closed when the server is gone, or when there is one at last.
func (b *Backend) Lost() <-chan struct{} {
	if b.alsa != nil {
		return b.lost
	}
	return b.pulse.Lost()
}

// Await returns nil when Open is worth another try: a server comes, or a sound card.
func (b *Backend) Await(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if pulse.Configured(b.getenv) || !amixer.Available() {
		return b.pulse.Await(ctx)
	}
	came := make(chan error, 2)
	go func() { came <- b.pulse.Await(ctx) }()
	go func() { came <- b.card(ctx) }()
	return <-came
}

// card waits for a sound card to come.
func (b *Backend) card(ctx context.Context) error {
	w, err := inotify.New()
	if err != nil {
		return fmt.Errorf("cannot watch for sound cards: %w", err)
	}
	defer w.Close()
	dir := b.sound
	if _, err := os.Stat(dir); err != nil {
		dir = filepath.Dir(dir)
	}
	if err := w.Add(dir); err != nil {
		return fmt.Errorf("cannot watch for sound cards: %w", err)
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case path := <-w.Events:
			if path == "" || path == b.sound || strings.HasPrefix(path, filepath.Join(b.sound, "controlC")) {
				return nil
			}
		}
	}
}

// Close lets go of the mixer. What waits is performed.
func (b *Backend) Close() error {
	if b.alsa == nil {
		return b.pulse.Close()
	}
	b.stop()
	return nil
}

// Do performs a VolumeControl.
func (b *Backend) Do(x *effect.Effect) error {
	a, ok := x.Action.(*effect.VolumeControl)
	if !ok || x.Kind != effect.Act {
		return nil
	}
	if a.App == focused {
		app, err := b.inFront()
		if err != nil {
			return err
		}
		of := *a
		of.App = app
		y := *x
		y.Action, x = &of, &y
	}
	if b.alsa != nil {
		return b.alsa.Do(x)
	}
	return b.pulse.Do(x)
}

// focused is the word for the application in front.
const focused = "focused"

var (
	errUnknown = errors.New("nobody here can tell which application is in front")
	errNone    = errors.New("no application is in front")
)

func (b *Backend) inFront() (string, error) {
	switch w := b.world.Load(); {
	case w == nil || !w.FocusKnown:
		return "", errUnknown
	case w.Focused == "":
		return "", errNone
	default:
		return w.Focused, nil
	}
}
