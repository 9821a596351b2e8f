package loop

import (
	"fmt"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// dispatch hands the effects in l.out to their sinks. It never blocks.
func (l *Loop) dispatch() {
	for i := range l.out {
		x := &l.out[i]
		switch x.Kind {
		case effect.Act:
			l.stats.Performed++
			l.act(x)
		case effect.KeyDown:
			if word := l.press(x); word != "" {
				l.engine.Refuse(x, l.out[i+1:])
				l.fail(x, word, nil)
			}
		case effect.KeyUp:
			l.letGo(x)
		case effect.ModeChanged:
			l.publish()
			if x.Old == x.Mode {
				continue // only the base mode changed
			}
			l.observer.Event(report.Event{Kind: report.ModeChanged, Old: x.Old, New: x.Mode, Cause: x.Cause.String()})
		case effect.Refused:
			l.stats.Refused++
		}
	}
}

// act hands an action to what performs it. What is pressed comes as KeyDown and KeyUp besides,
// and sequences and modes are the engine's own affair.
func (l *Loop) act(x *effect.Effect) {
	if l.record != nil {
		if !l.record.offer(x, Places) {
			l.recorder.Dropped()
		}
		return
	}
	switch a := x.Action.(type) {
	case *effect.Emit:
		l.emit(x, a)
		return
	case *effect.Panic:
		l.panic(x)
		return
	case *effect.Toggle:
		l.move()
		return
	}
	r := routeOf(x.Action)
	if r == alone || pressed(x.Action) {
		return
	}
	switch s := l.routes[r]; {
	case s == nil || !s.ready:
		l.fail(x, backends[r]+"-unavailable", nil)
	case !s.performs(x.Action):
		l.fail(x, backends[r]+"-unavailable", fmt.Errorf("nothing here performs %s", x.Action.Type()))
	case !s.act(x):
		l.fail(x, effect.QueueFull.String(), nil)
	}
}

// emit tells of an Emit. An encoder's steps multiply its number, or are it.
func (l *Loop) emit(x *effect.Effect, a *effect.Emit) {
	e := report.Event{Kind: report.Emitted, Mode: x.Mode, Name: a.Name, Text: a.Text, Number: x.Level}
	if x.Origin != nil {
		e.Mapping = x.Origin.ID
	}
	switch {
	case x.Steps == 0:
	case a.Value.Given:
		e.Number *= float64(x.Steps)
	default:
		e.Number = float64(x.Steps)
	}
	l.observer.Event(e)
}

// panic tells every backend that does something about it. What is held the engine releases.
func (l *Loop) panic(x *effect.Effect) {
	l.publish() // the held modes are held no longer
	for _, s := range l.sinks {
		if s.ready && s.performs(x.Action) && !s.offer(x, full) {
			l.fail(x, effect.QueueFull.String(), nil)
		}
	}
}

// press hands a KeyDown on, or returns the word for why that cannot be.
func (l *Loop) press(x *effect.Effect) string {
	if l.record != nil {
		return "" // its Act was recorded
	}
	r := routeOf(x.Action)
	switch s := l.routes[r]; {
	case s == nil || !s.ready:
		return backends[r] + "-unavailable"
	case !s.press(x):
		return effect.QueueFull.String()
	}
	return ""
}

func (l *Loop) letGo(x *effect.Effect) {
	if x.Hold == voided {
		return
	}
	if l.record != nil {
		if lasted(x) && !l.record.offer(x, Places) {
			l.recorder.Dropped()
		}
	} else if s := l.routes[routeOf(x.Action)]; s != nil && s.ready {
		s.release(x)
	}
	if x.Cause == effect.TooLong {
		l.fail(x, x.Cause.String(), nil)
	}
}

// lasted says whether a release ends something that was held. A tap is over by itself,
// without a cause.
func lasted(x *effect.Effect) bool { return x.Cause != effect.None && lasting(x.Action) }

// voided is no hold: it is what the release of a refused press has.
const voided = 0

func (l *Loop) fail(x *effect.Effect, word string, err error) {
	l.stats.Failed++
	e := failure(x, word, err)
	if l.failing != nil {
		*l.failing = append(*l.failing, e)
	}
	l.explain(x, &e)
	l.observer.Event(e)
}

// explain has the engine remember that an action came to nothing.
func (l *Loop) explain(x *effect.Effect, e *report.Event) {
	reason := e.Error
	if e.Detail != "" {
		reason += ": " + e.Detail
	}
	l.engine.Failed(x, reason)
}

// failure is the event for an action that came to nothing.
func failure(x *effect.Effect, word string, err error) report.Event {
	e := report.Event{Kind: report.ActionFailed, Mode: x.Mode, Error: word}
	if x.Origin != nil {
		e.Mapping = x.Origin.ID
	}
	if err != nil {
		e.Detail = err.Error()
	}
	return e
}
