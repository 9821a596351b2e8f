package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// shown is an effect as a line of an expectation, without its time.
func shown(x *effect.Effect) string {
	var b strings.Builder
	switch x.Kind {
	case effect.Act, effect.Refused:
		if x.Kind == effect.Refused {
			b.WriteString("refused ")
		}
		b.WriteString(origin(x))
		if d := detail(x.Action); d != "" {
			b.WriteString(" " + d)
		}
		if x.Level != 0 {
			b.WriteString(" level " + strconv.FormatFloat(x.Level, 'g', 6, 64))
		}
		if x.Steps != 0 {
			fmt.Fprintf(&b, " steps %d", x.Steps)
		}
		if x.Hit != effect.NoHit {
			b.WriteString(" hit " + x.Hit.String())
		}
	case effect.KeyDown:
		b.WriteString("down " + what(x))
	case effect.KeyUp:
		b.WriteString("up " + what(x))
	case effect.ModeChanged:
		b.WriteString("mode " + word(x.Old) + " > " + word(x.Mode))
	}
	if x.Cause != effect.None {
		b.WriteString(" (" + x.Cause.String() + ")")
	}
	return b.String()
}

// origin is the mapping, the step and the action.
func origin(x *effect.Effect) string {
	id := "-"
	if x.Origin != nil {
		id = word(x.Origin.ID)
	}
	if x.Step > 0 {
		id += "." + strconv.Itoa(int(x.Step))
	}
	if x.Action != nil {
		id += " " + x.Action.Type()
	}
	return id
}

// what goes down or up.
func what(x *effect.Effect) string {
	if s, ok := x.Action.(*effect.SendMidi); ok {
		return fmt.Sprintf("note %d ch %d %s", s.Number, s.Channel, word(s.Port))
	}
	return chord(x.Keys.Keys())
}

func chord(keys []effect.Key) string {
	if len(keys) == 0 {
		return "-"
	}
	var names []string
	for _, k := range keys {
		names = append(names, keyName(k))
	}
	return strings.Join(names, "+")
}

// buttons are the names of BTN_LEFT and those after it.
var buttons = []string{"left", "right", "middle", "side", "extra", "forward", "back"}

const buttonLeft effect.Key = 0x110

func keyName(k effect.Key) string {
	if n := int(k) - int(buttonLeft); n >= 0 && n < len(buttons) {
		return "button:" + buttons[n]
	}
	if name := effect.KeyName(k); name != "" {
		return name
	}
	return strconv.Itoa(int(k))
}

// detail is what may be shown of an action besides its type: a text as its length, a command
// as its program.
func detail(a effect.Action) string {
	switch a := a.(type) {
	case *effect.Text:
		return strconv.Itoa(len([]rune(a.Text)))
	case *effect.Shell:
		return word(a.Program())
	case *effect.Launch:
		return word(a.App)
	case *effect.MouseMove:
		if a.Absolute {
			return fmt.Sprintf("to %d %d", a.X, a.Y)
		}
		return fmt.Sprintf("%d %d", a.X, a.Y)
	case *effect.Scroll:
		return fmt.Sprintf("%d %d", a.X, a.Y)
	case *effect.VolumeControl:
		return effect.VolumeOperations[a.Operation]
	case *effect.Media:
		return a.Operation
	case *effect.DBusCall:
		return word(a.Member)
	case *effect.Emit:
		return word(a.Name)
	case *effect.SendMidi:
		return sent(a)
	}
	return ""
}

// sent is what a SendMidi sends, and where.
func sent(s *effect.SendMidi) string {
	text := effect.MidiKinds[s.Message]
	switch s.Message {
	case effect.SendNoteOn, effect.SendNoteOff, effect.SendCC, effect.SendProgramChange, effect.SendPolyAftertouch:
		text += fmt.Sprintf(" %d ch %d", s.Number, s.Channel)
	case effect.SendPitchBend, effect.SendAftertouch:
		text += fmt.Sprintf(" ch %d", s.Channel)
	case effect.SendSysEx, effect.SendStart, effect.SendContinue, effect.SendStop:
	}
	return text + " " + word(s.Port)
}

// isNote says whether what went down is a note, not keys.
func isNote(what string) bool { return strings.HasPrefix(what, "down note ") }

// rest says what is still down at the end.
func (k *keyboard) rest() []string {
	var lines []string
	if len(k.order) > 0 {
		lines = append(lines, "held "+chord(k.order))
	}
	for _, what := range k.holds {
		if isNote(what) {
			lines = append(lines, "held"+strings.TrimPrefix(what, "down"))
		}
	}
	slices.Sort(lines)
	for i := range lines {
		lines[i] = formatTime(k.last) + " " + lines[i]
	}
	return lines
}
