//go:build linux

package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/keymap"
	"github.com/amiable-dev/midimon/linux/portal"
)

// Backend presses keys, types and points. One goroutine owns it; Use and Choice may be called from
// anywhere.
type Backend struct {
	bus    *bus.Bus
	getenv func(string) string
	log    *slog.Logger
	portal *portal.Portal // nil: there is no bus

	wanted  atomic.Pointer[string] // what the configuration names
	absent  atomic.Bool            // the user has no session at a seat
	changed chan struct{}          // one of the two is another
	shown   atomic.Pointer[report.Check]
	tell    func(report.Check)           // nil: nobody asks
	told    atomic.Pointer[report.Check] // what it was told last

	// The rest is the owner's.
	ways      map[string]way // open
	chosen    choice
	down      []press
	gone      chan struct{}
	stopWatch context.CancelFunc
	watched   chan struct{}
	open      func(ctx context.Context, name string, w *world) (way, error) // a test's may differ
}

// press is a key that is down, and where.
type press struct {
	key effect.Key
	by  way
}

// New makes the back end. It touches nothing before Open. Desk is the session's bus, or nil.
func New(desk *bus.Bus, getenv func(string) string, log *slog.Logger) *Backend {
	b := &Backend{bus: desk, getenv: getenv, log: log, changed: make(chan struct{}, 1)}
	b.open = b.openWay
	if desk != nil {
		b.portal = portal.New(desk, tokenPath(getenv), heldPath(getenv))
	}
	return b
}

// tokenPath is where the portal's permission is kept: beside the state.
func tokenPath(getenv func(string) string) string {
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "midimon", "portal-token")
}

// heldPath is where is kept what the portal holds down.
func heldPath(getenv func(string) string) string {
	dir := getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "midimon", "held-portal")
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "keys" }

// Performs says that it types and points; what is pressed comes to it without that.
func (*Backend) Performs(a effect.Action) bool {
	switch a.(type) {
	case *effect.Text, *effect.MouseMove, *effect.Scroll:
		return true
	}
	return false
}

// Use names the way that does everything: "wayland", "uinput", "portal" or "xtest"; "auto" or empty:
// the best of those there are. It takes effect at once, and releases what is held.
func (b *Backend) Use(backend string) {
	if old := b.wanted.Swap(&backend); old == nil && backend == "" || old != nil && *old == backend {
		return
	}
	b.change()
}

// Present says whether the user has a session at a seat. Without, there is no keyboard of ours: who
// sits there is somebody else.
func (b *Backend) Present(is bool) {
	if b.absent.Swap(!is) == is {
		b.change()
	}
}

func (b *Backend) change() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *Backend) backend() string {
	if s := b.wanted.Load(); s != nil {
		return *s
	}
	return anyway
}

// Open chooses, and opens what it has chosen. Its error is a *report.Fault that wraps
// report.ErrKeysUnavailable.
func (b *Backend) Open(ctx context.Context) error {
	select {
	case <-b.changed: // what is wanted is read now
	default:
	}
	w := b.look(ctx)
	var (
		opened map[string]way
		failed error
	)
	c := choose(w, b.backend())
	for range len(ways) { // one that cannot be opened after all is as if it were not there
		if opened, failed = b.openAll(ctx, c, w); failed == nil {
			break
		}
		c = choose(w, b.backend())
	}
	row := b.judge(w, c)
	b.shown.Store(&row)
	b.tellOfText(c, w.console)
	if c.keys == "" {
		err := fmt.Errorf("%w: %s", report.ErrKeysUnavailable, row.Message)
		return &report.Fault{Check: b.Name(), Fix: row.Fix, Err: err}
	}
	b.log.Info("who presses keys is chosen", "choice", row.Message)
	b.ways, b.chosen, b.down = opened, c, nil
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.gone, b.watched, b.stopWatch = make(chan struct{}), make(chan struct{}), stop
	go b.watch(watching, w, b.gone, b.watched)
	return nil
}

// openAll opens the ways of a choice. What cannot be opened w says then.
func (b *Backend) openAll(ctx context.Context, c choice, w *world) (map[string]way, error) {
	opened := map[string]way{}
	for _, name := range c.uses() {
		o, err := b.open(ctx, name, w)
		if err == nil {
			opened[name] = o
			continue
		}
		for _, o := range opened {
			err = errors.Join(err, o.close())
		}
		switch name {
		case byWayland:
			w.wayland = err.Error()
		case byUinput:
			w.uinput = err.Error()
		case byPortal:
			w.portal = err.Error()
		case byXTest:
			w.xtest = err.Error()
		}
		return nil, err
	}
	return opened, nil
}

func (b *Backend) openWay(ctx context.Context, name string, w *world) (way, error) {
	switch name {
	case byWayland:
		return openWayland(ctx, w)
	case byXTest:
		dir := b.getenv("XDG_RUNTIME_DIR")
		if dir != "" {
			dir = filepath.Join(dir, "midimon")
		}
		return openXTest(ctx, w, dir)
	case byUinput:
		return openUinput(ctx, w, b.bus)
	case byPortal:
		return openPortal(ctx, w, b.portal, b.bus)
	}
	return nil, errMissing
}

// Lost is closed when what Open chose is gone, or something else is to be chosen.
func (b *Backend) Lost() <-chan struct{} { return b.gone }

// Do presses and releases keys and buttons, types and points. An error that wraps
// report.ErrKeysUnavailable means that what was open is gone.
func (b *Backend) Do(x *effect.Effect) error {
	switch x.Kind {
	case effect.KeyDown:
		return b.press(x)
	case effect.KeyUp:
		return b.release(x.Keys.Keys())
	case effect.Act:
		return b.act(x)
	case effect.ModeChanged, effect.Refused:
	}
	return nil
}

func (b *Backend) press(x *effect.Effect) error {
	keys := x.Keys.Keys()
	for _, key := range keys { // first all, so that a chord is pressed whole or not at all
		w := b.of(key)
		if w == nil && isButton(key) {
			return errNoMouse
		}
		if w == nil || !w.has(key) {
			return fmt.Errorf("cannot press key %d: there is no such key", key)
		}
	}
	if click, ok := x.Action.(*effect.MouseClick); ok && click.Place != nil {
		if err := b.ways[b.chosen.mouse].moveTo(click.Place.X, click.Place.Y); err != nil {
			return b.failure(b.chosen.mouse, err)
		}
	}
	for _, key := range keys {
		w := b.of(key)
		if err := w.press(key); err != nil {
			if errors.Is(err, portal.ErrAsked) || errors.Is(err, portal.ErrRefused) {
				return err // to open it again would ask again
			}
			return fmt.Errorf("cannot press keys: %w: %w", report.ErrKeysUnavailable, err)
		}
		b.down = append(b.down, press{key, w})
	}
	return nil
}

// errNoMouse is the error of a click where nothing has a mouse.
var errNoMouse = errors.New("cannot click: nothing here does")

// of is the way that a key or button goes.
func (b *Backend) of(key effect.Key) way {
	if isButton(key) {
		return b.ways[b.chosen.mouse]
	}
	return b.ways[b.chosen.keys]
}

func (b *Backend) release(keys []effect.Key) error {
	for _, key := range keys {
		for i := range b.down {
			if b.down[i].key != key {
				continue
			}
			w := b.down[i].by
			b.down = append(b.down[:i], b.down[i+1:]...)
			if err := w.release(key); err != nil {
				return fmt.Errorf("cannot release keys: %w: %w", report.ErrKeysUnavailable, err)
			}
			break
		}
	}
	return nil
}

// typeWithin is how long a text may take: those behind it wait.
const typeWithin = time.Minute

func (b *Backend) act(x *effect.Effect) error {
	steps := int32(1)
	if x.Steps != 0 {
		steps = int32(x.Steps)
	}
	name := b.chosen.mouse
	if _, ok := x.Action.(*effect.Text); ok {
		name = b.chosen.text
	}
	w := b.ways[name]
	if w == nil {
		return fmt.Errorf("cannot perform %s: nothing here does", x.Action.Type())
	}
	var err error
	switch a := x.Action.(type) {
	case *effect.Text:
		ctx, cancel := context.WithTimeout(context.Background(), typeWithin)
		defer cancel()
		err = w.typeText(ctx, a.Text)
		b.tellOfText(b.chosen, textRow(err))
	case *effect.MouseMove:
		if a.Absolute {
			err = w.moveTo(a.X, a.Y)
		} else {
			err = w.moveBy(a.X*steps, a.Y*steps)
		}
	case *effect.Scroll:
		err = w.scroll(a.X*steps, a.Y*steps)
	}
	return b.failure(name, err)
}

// failure tells what was not done from what is gone.
func (b *Backend) failure(name string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*keymap.Untypable](err); ok {
		return err
	}
	select {
	case <-b.ways[name].lost():
		return fmt.Errorf("%w: %w", report.ErrKeysUnavailable, err)
	default:
		return err
	}
}

// Close releases everything and closes what is open.
func (b *Backend) Close() error {
	if b.stopWatch != nil {
		b.stopWatch()
		<-b.watched
		b.stopWatch = nil
	}
	var errs []error
	for i := len(b.down) - 1; i >= 0; i-- {
		p := b.down[i]
		select {
		case <-p.by.lost():
		default:
			errs = append(errs, p.by.release(p.key))
		}
	}
	b.down = nil
	for _, w := range b.ways {
		errs = append(errs, w.close())
	}
	b.ways, b.chosen = nil, choice{}
	return errors.Join(errs...)
}
