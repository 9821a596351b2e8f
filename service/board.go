package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/health"
	"github.com/amiable-dev/midimon/service/loop"
	"github.com/amiable-dev/midimon/service/ports"
)

// maxEvents is how many events wait for the board, and for each subscriber.
const maxEvents = 256

// board gathers what is so and publishes it. One goroutine owns it, and waits for nobody, so
// everybody may wait for it.
type board struct {
	log    *slog.Logger
	modes  func() *loop.Modes
	status func(line string) // the line for people; called when it changes

	posts   chan func()
	events  chan report.Event
	changed chan struct{}
	done    chan struct{}
	dropped atomic.Uint64
	shown   atomic.Pointer[shown]

	// The rest is run's own.
	base        report.Status // what does not follow from the rest
	program     *engine.Program
	needed      needs // of program
	phase       health.Phase
	rows        health.Rows
	backends    map[string]error // nil: ready
	untyped     report.Check     // why texts cannot be typed; without a message: they can
	uncontained report.Check     // that programs are not contained; without a message: they are
	unfocused   report.Check     // that nobody can tell which application has the focus; without a message: somebody can
	view        *ports.View
	portRows    []string // names of the rows that came with view
	line        string
	next        shown                // where show makes the next one: most are as the last
	subscribers map[*subscriber]bool // whether they get events
	failures    failures
	cookies     cookies

	quiet atomic.Bool // somebody asked for it
}

// shown is a status and what keeps its counters.
type shown struct {
	report.Status
	view *ports.View
}

func newBoard(log *slog.Logger, base report.Status, modes func() *loop.Modes) *board {
	b := &board{
		log: log, modes: modes, status: func(string) {}, base: base,
		posts: make(chan func()), events: make(chan report.Event, maxEvents), changed: make(chan struct{}, 1), done: make(chan struct{}),
		phase: health.Phase{Starting: true}, backends: map[string]error{},
		subscribers: map[*subscriber]bool{}, unfocused: report.Check{Name: focusCheck, Status: report.OK}, uncontained: report.Check{Name: containedCheck, Status: report.OK},
		untyped: report.Check{Name: textCheck, Status: report.OK},
	}
	b.shown.Store(&shown{Status: base})
	return b
}

func (b *board) run(ctx context.Context) {
	defer close(b.done)
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-b.events:
			b.tell(e)
		case <-b.changed:
			b.publish()
		case f := <-b.posts:
			f()
		}
	}
}

// post changes the board, after every event sent before, and publishes. It returns when that
// is done, or when the board has ended.
func (b *board) post(change func()) {
	did := make(chan struct{})
	f := func() {
		defer close(did)
		for range len(b.events) {
			b.tell(<-b.events)
		}
		change()
		b.publish()
	}
	select {
	case b.posts <- f:
		<-did
	case <-b.done:
	}
}

// Event is something that happened. It never blocks.
func (b *board) Event(e report.Event) {
	select {
	case b.events <- e:
	default:
		b.dropped.Add(1)
	}
}

// Changed says that the modes are to be read again. It never blocks.
func (b *board) Changed() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Backend says how a backend is.
func (b *board) Backend(name string, err error) {
	b.post(func() { b.backends[name] = err })
}

// setView takes what the ports are.
func (b *board) setView(v *ports.View) {
	b.view = v
	for _, name := range b.portRows {
		b.rows.Drop(name)
	}
	b.portRows = b.portRows[:0]
	for _, c := range v.Checks {
		b.rows.Set(c)
		b.portRows = append(b.portRows, c.Name)
	}
}

// tell hands an event on. A status is published first, so that who hears of it reads it.
func (b *board) tell(e report.Event) {
	switch e.Kind {
	case report.ModeChanged:
		b.log.Info("mode changed", "mode", e.New, "old", e.Old, "cause", e.Cause)
		b.publish()
	case report.ActionFailed:
		b.failures.log(b.log, &e, time.Now())
	case report.ReloadFinished, report.Emitted, report.ModeHoldReleased:
	}
	dropped := b.dropped.Swap(0)
	for s, events := range b.subscribers {
		if events {
			s.add(&e, dropped)
		}
		s.poke()
	}
}

// publish makes what is so now the status, and tells who lost what it held.
func (b *board) publish() {
	b.show()
	b.lostHolds()
}

// show makes what is so now the status, if that is another.
func (b *board) show() {
	was, is := b.shown.Load(), &b.next
	*is = shown{Status: b.base, view: b.view}
	b.checkBackends()
	is.Health = b.rows.List()
	is.State = health.State(b.phase, is.Health)
	if m := b.modes(); m != nil {
		is.Mode, is.BaseMode, is.Modes = m.Mode, m.BaseMode, m.All
	}
	if is.Devices = was.Devices; b.view != was.view { // current counts
		is.Devices = b.view.Devices()
	}
	is.Mappings, is.Inhibitors = len(b.program.Mappings), b.cookies.inhibitors()
	same := reflect.DeepEqual(&was.Status, &is.Status)
	if !same || was.view != is.view {
		next := *is
		b.shown.Store(&next)
	}
	if same {
		return
	}
	b.logHealth(was.Health, is.Health)
	if line := statusLine(&is.Status, len(b.program.Mappings)); line != b.line {
		b.line = line
		b.status(line)
	}
	for s := range b.subscribers {
		s.poke()
	}
}

// What is done without, and therefore only a warning.
const (
	containedCheck = "process-limits"
	focusCheck     = "focus"
	textCheck      = "text"
)

// checkBackends has a row for each backend that is not ready and that the program uses.
func (b *board) checkBackends() {
	b.warn(b.uncontained, b.uses("process"))
	b.warn(b.unfocused, b.need().focus)
	b.warn(b.untyped, b.need().text)
	for name, err := range b.backends {
		c := health.Of(name, err)
		if !b.uses(name) {
			c.Status = report.OK
		}
		b.rows.Set(c)
	}
}

// warn has a row as long as it has a message and the program uses what it speaks of.
func (b *board) warn(c report.Check, used bool) {
	if c.Message == "" || !used {
		c.Status = report.OK
	} else {
		c.Status, c.Fix = report.Warning, cmp.Or(c.Fix, report.Unexplained)
	}
	b.rows.Set(c)
}

// needs are what a program uses. To look through all of its mappings at each change would be
// most of the work that a change makes.
type needs struct {
	program  *engine.Program
	backends map[string]bool
	focus    bool
	text     bool
}

func (b *board) uses(backend string) bool { return b.need().backends[backend] }

// need is what the present program uses.
func (b *board) need() *needs {
	p := b.program
	if b.needed.program == p {
		return &b.needed
	}
	b.needed = needs{program: p, backends: map[string]bool{}, focus: p.UsesFocus()}
	note := func(a effect.Action) bool {
		b.needed.backends[loop.BackendOf(a)] = true
		_, types := a.(*effect.Text)
		b.needed.text = b.needed.text || types
		return true
	}
	for i := range p.Mappings {
		if p.Mappings[i].Enabled {
			effect.Within(p.Mappings[i].Action, note)
		}
	}
	for i := range p.Modes {
		for _, m := range [...]*engine.Mapping{p.Modes[i].Enter, p.Modes[i].Exit} {
			if m != nil {
				effect.Within(m.Action, note)
			}
		}
	}
	return &b.needed
}

// logHealth says what came and went.
func (b *board) logHealth(was, is []report.Check) {
	old := map[string]report.Check{}
	for _, c := range was {
		old[c.Name] = c
	}
	for _, c := range is {
		if old[c.Name] != c {
			b.log.Warn("problem", "check", c.Name, "status", c.Status, "message", c.Message, "fix", c.Fix)
		}
		delete(old, c.Name)
	}
	for name := range old {
		b.log.Info("problem solved", "check", name)
	}
}

// statusLine is the daemon in one line.
func statusLine(s *report.Status, mappings int) string {
	configured := 0
	for i := range s.Devices {
		if s.Devices[i].Configured {
			configured++
		}
	}
	state := string(s.State)
	if p := s.Problems(); len(p) > 0 {
		state += " (" + strings.Join(p, ", ") + ")"
	}
	return fmt.Sprintf("%s: mode %s, %d of %d devices, %d mappings", state, s.Mode, len(s.ConnectedDevices()), configured, mappings)
}

// current is the status with the counters as they are now.
func (b *board) current() *report.Status {
	for {
		was := b.shown.Load()
		if was.view == nil || !was.view.Moved(was.Devices) {
			return &was.Status
		}
		is := *was
		is.Devices = was.view.Devices()
		if b.shown.CompareAndSwap(was, &is) {
			return &is.Status
		}
	}
}

// failures keeps failing actions from filling the log.
type failures struct {
	since  time.Time
	logged int
	kept   int // not logged
}

// failuresPerSecond is how many failing actions a second are logged.
const failuresPerSecond = 2

func (f *failures) log(log *slog.Logger, e *report.Event, now time.Time) {
	if now.Sub(f.since) >= time.Second {
		f.since, f.logged = now, 0
	}
	if f.logged == failuresPerSecond {
		f.kept++
		return
	}
	f.logged++
	log.Warn("action failed", "mapping", e.Mapping, "mode", e.Mode, "error", e.Error, "detail", e.Detail, "unlogged", f.kept)
	f.kept = 0
}
