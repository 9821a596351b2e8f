package loop

import (
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
				l.engine.Refuse(x)
				void(l.out[i+1:], x.Hold)
				l.fail(x, word)
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

// act hands an action to what performs it. Keystrokes come as KeyDown and KeyUp besides, and
// sequences and modes are the engine's own affair.
func (l *Loop) act(x *effect.Effect) {
	s, name := l.record, ""
	if s == nil {
		switch name = performer(x.Action); name {
		case "":
			return
		case "process":
			s = l.process
		}
	}
	switch {
	case s == nil || !s.ready && s != l.record:
		l.fail(x, name+"-unavailable")
	case s.offer(x, Places):
		return
	case s == l.record:
		l.recorder.Dropped()
	default:
		l.fail(x, effect.QueueFull.String())
	}
}

// performer is the name of the backend that an action needs beside the engine, or empty. Most
// are not there yet.
func performer(a effect.Action) string {
	switch a.(type) {
	case *effect.Shell:
		return "process"
	case *effect.Launch, *effect.Open:
		return "launch"
	case *effect.Text:
		return "text"
	case *effect.MouseMove, *effect.Scroll:
		return "pointer"
	case *effect.VolumeControl:
		return "audio"
	case *effect.Media:
		return "media"
	case *effect.Notify:
		return "notify"
	case *effect.DBusCall, *effect.Emit:
		return "bus"
	case *effect.SendMidi:
		return "midi"
	}
	return ""
}

// press hands a KeyDown on, or returns the word for why that cannot be.
func (l *Loop) press(x *effect.Effect) string {
	switch {
	case l.record != nil, x.Keys.Len() == 0 && performer(x.Action) != "":
		return "" // that it could not be done was said of the action
	case l.keys == nil || !l.keys.ready:
		return "keys-unavailable"
	case !l.keys.press(x):
		return effect.QueueFull.String()
	}
	return ""
}

func (l *Loop) letGo(x *effect.Effect) {
	switch {
	case x.Hold == voided:
		return
	case l.record != nil:
		if lasted(x) && !l.record.offer(x, Places) {
			l.recorder.Dropped()
		}
	case performer(x.Action) != "":
	case l.keys != nil && l.keys.ready:
		l.keys.release(x)
	}
	if x.Cause == effect.TooLong {
		l.fail(x, x.Cause.String())
	}
}

// lasted says whether a release ends a keystroke that was held. A tap is over by itself,
// without a cause.
func lasted(x *effect.Effect) bool {
	k, ok := x.Action.(*effect.Keystroke)
	return ok && k.Hold && x.Cause != effect.None
}

// voided is no hold of the engine's: those count from 1.
const voided = 0

// void makes nothing of the release that was already on its way for a refused press.
func void(rest []effect.Effect, hold uint32) {
	for i := range rest {
		if rest[i].Kind == effect.KeyUp && rest[i].Hold == hold {
			rest[i].Hold = voided
			return
		}
	}
}

func (l *Loop) fail(x *effect.Effect, word string) {
	l.stats.Failed++
	l.observer.Event(failure(x, word, nil))
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
