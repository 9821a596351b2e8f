package service

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// triggerFields are what the configuration says of a trigger, by its keys; what says nothing
// here is left out.
func triggerFields(t *engine.Trigger) map[string]any {
	out := map[string]any{}
	if t.Channel != engine.Any {
		out["channel"] = int(t.Channel)
	}
	switch t.Type {
	case engine.NoteChord:
		notes := make([]int, len(t.Notes))
		for i, n := range t.Notes {
			notes[i] = int(n)
		}
		out["notes"] = notes
	case engine.Transport, engine.SysExclusive, engine.Bend:
	default:
		if t.Number != engine.Any {
			out[numberKey(t)] = int(t.Number)
		}
	}
	switch t.Type {
	case engine.VelocityRange:
		out["min_velocity"], out["max_velocity"] = int(t.Min), int(t.Max)
	case engine.LongPress, engine.DoubleTap, engine.NoteChord:
		out["duration_ms"] = int(t.Duration.Milliseconds())
	case engine.MultiTap:
		out["taps"], out["duration_ms"] = int(t.Taps), int(t.Duration.Milliseconds())
	case engine.EncoderTurn:
		out["direction"] = []string{"either", "clockwise", "counter-clockwise"}[t.Direction]
	case engine.SysExclusive:
		out["length"] = len(t.Data)
	case engine.Transport:
		out["message"] = map[engine.Kind]string{engine.Start: "start", engine.Stop: "stop", engine.Continue: "continue"}[t.Message]
	default:
		if t.Ranged {
			out["min"], out["max"] = int(t.Min), int(t.Max)
		}
	}
	return out
}

// numberKey is the key under which a configuration has the trigger's number.
func numberKey(t *engine.Trigger) string {
	switch t.Type {
	case engine.Note, engine.VelocityRange, engine.Aftertouch:
		return "note"
	case engine.NoteRelease, engine.LongPress, engine.DoubleTap, engine.MultiTap:
		if !t.OnCC {
			return "note"
		}
	case engine.NRPN, engine.RPN:
		return "parameter"
	case engine.ProgramChanged:
		return "program"
	default:
	}
	return "cc"
}

var noteNames = [12]string{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"}

// noteName has C4 = 60.
func noteName(n int) string { return fmt.Sprintf("%s%d", noteNames[n%12], n/12-1) }

// triggerText is what a trigger listens to, for people.
func triggerText(t *engine.Trigger) string {
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	key := numberKey(t)
	switch {
	case t.Type == engine.NoteChord:
		var names []string
		for _, n := range t.Notes {
			names = append(names, noteName(int(n)))
		}
		say("chord %s", strings.Join(names, "+"))
	case t.Type == engine.Transport:
		say("%v", triggerFields(t)["message"])
	case t.Type == engine.SysExclusive:
		say("sysex of %d bytes", len(t.Data))
	case t.Type == engine.Bend:
		say("pitch bend")
	case t.Number == engine.Any:
		say("any %s", key)
	case key == "note":
		say("%s (%d)", noteName(int(t.Number)), t.Number)
	default:
		say("%s %d", key, t.Number)
	}
	switch t.Type {
	case engine.LongPress:
		say("held %v", t.Duration)
	case engine.DoubleTap, engine.MultiTap:
		say("%d taps", t.Taps)
	case engine.NoteRelease:
		say("released")
	case engine.EncoderTurn:
		if t.Direction != engine.Either {
			say("%v", triggerFields(t)["direction"])
		}
	case engine.VelocityRange:
		say("velocity %d-%d", t.Min, t.Max)
	default:
		if t.Ranged {
			say("%d-%d", t.Min, t.Max)
		}
	}
	if t.Channel != engine.Any {
		say("ch %d", t.Channel+1)
	}
	return strings.Join(words, " ")
}

// actionText is what an action does, for people, without what may be nobody's business.
func actionText(a effect.Action) string {
	switch a := a.(type) {
	case *effect.Keystroke:
		return strings.Join(append(append([]string{}, a.Modifiers...), a.Keys), "+")
	case *effect.Text:
		return fmt.Sprintf("%d characters", utf8.RuneCountInString(a.Text))
	case *effect.Shell:
		return a.Program()
	case *effect.Launch:
		return a.Program()
	case *effect.Open:
		return a.Shown()
	case *effect.MouseClick:
		return a.Button
	case *effect.VolumeControl:
		return effect.VolumeOperations[a.Operation]
	case *effect.Media:
		return a.Operation
	case *effect.Notify:
		return a.Summary
	case *effect.DBusCall:
		return a.Interface + "." + a.Member
	case *effect.Emit:
		return a.Name
	case *effect.SendMidi:
		return effect.MidiKinds[a.Message] + " to " + a.Port
	case *effect.ModeChange:
		if a.Mode == "" {
			return fmt.Sprintf("%+d", a.Step)
		}
		return a.Mode
	case *effect.Toggle:
		return a.State
	case *effect.Delay:
		return a.For.String()
	case *effect.Repeat:
		return fmt.Sprintf("%d x %s", a.Count, a.Action.Type())
	case *effect.Sequence:
		return fmt.Sprintf("%d steps", len(a.Actions))
	}
	return ""
}
