package config

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// maxTimeout is how long a command or notification may last, in milliseconds.
const maxTimeout = 3_600_000

var textTable = tableOf(
	field[effect.Text]{name: "text", must: true, doc: "The text.", shape: wordShape, read: func(r *reader, id int32, t *effect.Text) {
		var ok bool
		if t.Text, ok = r.text(id); ok && t.Text == "" {
			r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
		}
	}},
)

var launchTable = tableOf(
	field[effect.Launch]{name: "args", doc: "What it is given to begin with.", shape: manyOf(textShape, 0, 0), read: func(r *reader, id int32, l *effect.Launch) {
		if r.is(id, arrayNode) {
			for c := r.first(id); c != 0; c = r.nodes[c].next {
				s, _ := r.text(c)
				l.Args = append(l.Args, s)
			}
		}
	}},
	label("app", func(l *effect.Launch, s string) { l.App = s }).required().says("A desktop id, a path, a program or the name of an application."),
)

// someWord is a text that must be given and not be empty.
func someWord[A any](name, also, doc string, set func(*A, string)) field[A] {
	return field[A]{name: name, also: also, must: true, doc: doc, shape: wordShape, read: func(r *reader, id int32, a *A) {
		s, _ := r.word(id)
		set(a, s)
	}}
}

var openTable = tableOf(
	someWord("target", "url", "The file or address.", func(o *effect.Open, s string) { o.Target = s }),
)

var shellTable = tableOf(
	whole("timeout_ms", 1, maxTimeout, func(s *effect.Shell, n int64) { s.Timeout = ms(n) }).says("It is ended after that long."),
	someWord("command", "", "The command.", func(s *effect.Shell, c string) { s.Command = c }),
)

var notifyTable = tableOf(
	whole("timeout_ms", 1, maxTimeout, func(n *effect.Notify, t int64) { n.Timeout = ms(t) }).says("How long it is shown."),
	label("slot", func(n *effect.Notify, s string) { n.Slot = s }).says("Notifications of one slot replace each other."),
	label("icon", func(n *effect.Notify, s string) { n.Icon = s }).says("The name or file of an icon."),
	text("body", func(n *effect.Notify, s string) { n.Body = s }).or("message").says("What stands below."),
	someWord("summary", "title", "Its title.", func(n *effect.Notify, s string) { n.Summary = s }),
)

var mediaTable = tableOf(
	label("player", func(m *effect.Media, s string) { m.Player = s }).says("Which player; without it the one that plays."),
	choice("operation", effect.MediaOperations, func(m *effect.Media, i int) { m.Operation = effect.MediaOperations[i] }).or("action").required().says("What it shall do."),
)

// volume is a VolumeControl while it is read.
type volume struct {
	effect.VolumeControl
	value, step int32 // the nodes, or 0
}

var volumeTable = tableOf(
	label("app", func(v *volume, s string) { v.App = s }).says(`Of one application; "focused": of the one in front.`),
	label("device", func(v *volume, s string) { v.Device = s }).says("The name of an output or input; without it the default one."),
	choice("target", []string{"output", "input"}, func(v *volume, i int) { v.Input = i == 1 }).says("What is heard, or the microphone. output."),
	decimal("limit", 1, maxVolume, func(v *volume, n float64) { v.Limit = n }).or("max").says("Never louder, percent. 100."),
	field[volume]{name: "step", doc: "Up, Down: how far, percent. 10.", shape: numberOf(0.1, 100), read: func(r *reader, id int32, v *volume) {
		v.step = id
		v.Step, _ = r.decimal(id, 0.1, 100)
	}},
	field[volume]{
		name: "value", doc: "Set: how loud, percent; without it where the control stands.", shape: levelShape(0, maxVolume),
		read: func(_ *reader, id int32, v *volume) { v.value = id },
	},
	choice("operation", effect.VolumeOperations, func(v *volume, i int) { v.Operation = effect.VolumeOperation(i) }).or("action").required().says("What is done."),
)

// The percents of a VolumeControl that does not say them, and the most there may be.
const (
	volumeStep  = 10
	volumeLimit = 100
	maxVolume   = 150
)

func (r *reader) volume(id int32, v *volume) effect.Action {
	a := &v.VolumeControl
	if v.step == 0 {
		a.Step = volumeStep
	}
	if a.Limit == 0 {
		a.Limit = volumeLimit
	}
	a.Level.Max = 100
	if v.value != 0 {
		r.level(v.value, &a.Level, 0, maxVolume)
	}
	switch up := a.Operation == effect.VolumeUp || a.Operation == effect.VolumeDown; {
	case v.value != 0 && a.Operation != effect.VolumeSet && up:
		r.noEffect(v.value, "only Set takes a value; step says how far Up and Down go")
	case v.value != 0 && a.Operation != effect.VolumeSet:
		r.noEffect(v.value, "only Set takes a value")
	case v.step != 0 && !up:
		r.noEffect(v.step, "only Up and Down take a step")
	}
	if c := r.find(id, "app"); c != 0 && a.Device != "" {
		r.report(fault{code: Conflict, off: r.keyAt(c), node: c}, "there is device too")
	}
	return a
}
