package dryrun

import (
	"math"
	"unicode/utf8"

	"github.com/amiable-dev/midimon/engine/effect"
)

// pair is a key of a line and its value.
type pair struct {
	key   string
	value any
}

// fields are an action's own, in the order in which its line has them, none of them a key of
// head. What may be nobody's business is not among them: of a text the length, of a command
// the program, of an address where it is.
func fields(x *effect.Effect) []pair {
	switch a := x.Action.(type) {
	case *effect.Keystroke:
		return []pair{{"keys", a.Keys}, {"modifiers", a.Modifiers}, {"hold", a.Hold}}
	case *effect.Text:
		return []pair{{"length", utf8.RuneCountInString(a.Text)}}
	case *effect.MouseClick:
		f := []pair{{"button", a.Button}, {"hold", a.Hold}}
		if a.Place != nil {
			f = append(f, pair{"x", a.Place.X}, pair{"y", a.Place.Y})
		}
		return f
	case *effect.MouseMove:
		return []pair{{"x", a.X}, {"y", a.Y}, {"absolute", a.Absolute}}
	case *effect.Scroll:
		return []pair{{"x", a.X}, {"y", a.Y}}
	case *effect.Launch:
		return []pair{{"program", a.Program()}}
	case *effect.Open:
		return []pair{{"target", a.Shown()}}
	case *effect.Shell:
		return []pair{{"program", a.Program()}}
	case *effect.VolumeControl:
		return volume(x, a)
	case *effect.Media:
		return given([]pair{{"operation", a.Operation}}, "player", a.Player)
	case *effect.Notify:
		f := given(given([]pair{{"summary", a.Summary}}, "icon", a.Icon), "slot", a.Slot)
		if a.Timeout > 0 {
			f = append(f, pair{"timeout_ms", a.Timeout.Milliseconds()})
		}
		return f
	case *effect.DBusCall:
		bus := "session"
		if a.System {
			bus = "system"
		}
		return level(x, []pair{
			{"bus", bus}, {"destination", a.Destination}, {"path", a.Path}, {"interface", a.Interface}, {"method", a.Member}, {"args", len(a.Args)},
		})
	case *effect.Emit:
		return level(x, given([]pair{{"name", a.Name}}, "text", a.Text))
	case *effect.SendMidi:
		return midi(x, a)
	case *effect.Repeat:
		return []pair{{"count", a.Count}, {"delay_ms", a.Delay.Milliseconds()}}
	case *effect.Delay:
		return []pair{{"ms", a.For.Milliseconds()}}
	case *effect.Toggle:
		return []pair{{"state", a.State}, {"on", x.Level != 0}}
	case *effect.Conditional:
		return []pair{{"holds", x.Level != 0}}
	case *effect.ModeChange:
		f := given(nil, "target", a.Mode)
		if a.Step != 0 {
			f = append(f, pair{"by", a.Step})
		}
		if a.Hold {
			f = append(f, pair{"hold", true})
		}
		return f
	}
	return nil // Sequence and Panic have nothing more to say
}

// Fields are those of an action's own that the configuration gives it, without what may be
// nobody's business.
func Fields(a effect.Action) map[string]any {
	out := map[string]any{}
	for _, f := range fields(&effect.Effect{Kind: effect.Refused, Action: a}) {
		out[f.key] = f.value
	}
	delete(out, "on") // how a Toggle stands, and whether a Conditional's condition holds
	delete(out, "holds")
	return out
}

func volume(x *effect.Effect, a *effect.VolumeControl) []pair {
	target := "output"
	if a.Input {
		target = "input"
	}
	f := []pair{{"operation", effect.VolumeOperations[a.Operation]}, {"target", target}}
	if a.Operation == effect.VolumeUp || a.Operation == effect.VolumeDown {
		f = append(f, pair{"by", a.Step})
	}
	return level(x, given(given(f, "device", a.Device), "app", a.App))
}

func midi(x *effect.Effect, a *effect.SendMidi) []pair {
	f := []pair{{"port", a.Port}, {"message", effect.MidiKinds[a.Message]}}
	switch a.Message {
	case effect.SendSysEx:
		return append(f, pair{"length", len(a.Data)})
	case effect.SendStart, effect.SendContinue, effect.SendStop:
		return f
	case effect.SendPitchBend, effect.SendAftertouch:
		f = append(f, pair{"channel", a.Channel})
	default:
		f = append(f, pair{"channel", a.Channel}, pair{"number", a.Number})
	}
	if x.Kind == effect.Act && effect.ValueOf(a) != nil {
		f = append(f, pair{"value", int(math.Round(x.Level))})
	}
	if a.Hold {
		f = append(f, pair{"hold", true})
	}
	return f
}

// given adds a word that the action has.
func given(f []pair, key, word string) []pair {
	if word == "" {
		return f
	}
	return append(f, pair{key, word})
}

// level adds the number with which the action works.
func level(x *effect.Effect, f []pair) []pair {
	if x.Kind != effect.Act || effect.ValueOf(x.Action) == nil {
		return f
	}
	return append(f, pair{"level", x.Level})
}
