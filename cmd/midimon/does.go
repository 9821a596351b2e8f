package main

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/amiable-dev/midimon/engine/effect"
)

// does is what an action would do, in few words.
func does(x *effect.Effect) string {
	switch a := x.Action.(type) {
	case *effect.Keystroke:
		return taps(a.Hold) + held(a)
	case *effect.MouseClick:
		return taps(a.Hold) + held(a)
	case *effect.Text:
		return fmt.Sprintf("types %d characters", utf8.RuneCountInString(a.Text))
	case *effect.MouseMove:
		if a.Absolute {
			return fmt.Sprintf("puts the pointer at %d, %d", a.X, a.Y)
		}
		return fmt.Sprintf("moves the pointer by %d, %d", times(a.X, x), times(a.Y, x))
	case *effect.Scroll:
		return fmt.Sprintf("scrolls by %d, %d", times(a.X, x), times(a.Y, x))
	case *effect.Launch:
		return "starts " + a.Program()
	case *effect.Open:
		return "opens " + a.Shown()
	case *effect.Shell:
		return "runs " + a.Program()
	case *effect.VolumeControl:
		return volume(x, a)
	case *effect.Media:
		return "tells the player: " + a.Operation
	case *effect.Notify:
		return "notifies of " + a.Summary
	case *effect.DBusCall:
		return "calls " + a.Member
	case *effect.Emit:
		if a.Text != "" {
			return "says " + a.Name + " " + a.Text
		}
		return fmt.Sprintf("says %s %.4g", a.Name, x.Level)
	case *effect.SendMidi:
		return "sends " + effect.MidiKinds[a.Message] + " to " + a.Port
	case *effect.Panic:
		return "lets go of everything"
	case *effect.Sequence:
		return fmt.Sprintf("begins %d steps", len(a.Actions))
	case *effect.Repeat:
		if a.Count == 0 {
			return "repeats until " + effect.Cancels[a.Cancel]
		}
		return fmt.Sprintf("repeats %d times", a.Count)
	case *effect.Delay:
		return fmt.Sprintf("waits %d ms", a.For.Milliseconds())
	case *effect.Toggle:
		return "switches " + a.State + choose(x.Level != 0, " on", " off")
	case *effect.Conditional:
		return choose(x.Level != 0, "holds", "does not hold")
	case *effect.ModeChange:
		switch {
		case a.Mode == "":
			return fmt.Sprintf("goes %d modes on", a.Step)
		case a.Hold:
			return "holds mode " + a.Mode
		}
		return "changes to mode " + a.Mode
	}
	return ""
}

func volume(x *effect.Effect, a *effect.VolumeControl) string {
	what := choose(a.Input, "microphone ", "volume ")
	switch a.Operation {
	case effect.VolumeUp, effect.VolumeDown:
		by := a.Step * math.Abs(float64(times(1, x)))
		if (a.Operation == effect.VolumeDown) != (x.Steps < 0) {
			by = -by
		}
		return fmt.Sprintf("%sby %+.4g %%", what, by)
	case effect.VolumeSet:
		return fmt.Sprintf("%sto %.4g %%", what, x.Level)
	default:
		return what + strings.ToLower(effect.VolumeOperations[a.Operation])
	}
}

func choose(yes bool, then, other string) string {
	if yes {
		return then
	}
	return other
}

func taps(hold bool) string { return choose(hold, "holds ", "taps ") }

// times is n as often as an encoder says.
func times(n int32, x *effect.Effect) int32 {
	if x.Steps == 0 {
		return n
	}
	return n * int32(x.Steps)
}

// held is what an action holds down.
func held(a effect.Action) string {
	switch a := a.(type) {
	case *effect.Keystroke:
		return keys(a)
	case *effect.MouseClick:
		return "the " + a.Button + " button"
	case *effect.SendMidi:
		return fmt.Sprintf("note %d at %s", a.Number, a.Port)
	}
	return ""
}

// keys is a chord as people write it: Ctrl+Shift+T.
func keys(k *effect.Keystroke) string {
	words := append([]string{}, k.Modifiers...)
	words = append(words, strings.Split(k.Keys, "+")...)
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "+")
}
