package config

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// maxTimeout is how long a command or notification may last, in milliseconds.
const maxTimeout = 3_600_000

var textFields = []field[effect.Text]{
	{name: "text", must: true, read: func(r *reader, id int32, t *effect.Text) {
		var ok bool
		if t.Text, ok = r.text(id); ok && t.Text == "" {
			r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
		}
	}},
}

var launchFields = []field[effect.Launch]{
	{name: "args", read: func(r *reader, id int32, l *effect.Launch) {
		if r.is(id, arrayNode) {
			for c := r.nodes[id].first; c != 0; c = r.nodes[c].next {
				s, _ := r.text(c)
				l.Args = append(l.Args, s)
			}
		}
	}},
	label("app", func(l *effect.Launch, s string) { l.App = s }).required(),
}

var openFields = []field[effect.Open]{
	{name: "target", also: "url", must: true, read: func(r *reader, id int32, o *effect.Open) { o.Target, _ = r.word(id) }},
}

var shellFields = []field[effect.Shell]{
	whole("timeout_ms", 1, maxTimeout, func(s *effect.Shell, n int64) { s.Timeout = ms(n) }),
	{name: "command", must: true, read: func(r *reader, id int32, s *effect.Shell) { s.Command, _ = r.word(id) }},
}

var notifyFields = []field[effect.Notify]{
	whole("timeout_ms", 1, maxTimeout, func(n *effect.Notify, t int64) { n.Timeout = ms(t) }),
	label("slot", func(n *effect.Notify, s string) { n.Slot = s }),
	label("icon", func(n *effect.Notify, s string) { n.Icon = s }),
	text("body", func(n *effect.Notify, s string) { n.Body = s }).or("message"),
	{name: "summary", also: "title", must: true, read: func(r *reader, id int32, n *effect.Notify) { n.Summary, _ = r.word(id) }},
}

var mediaFields = []field[effect.Media]{
	label("player", func(m *effect.Media, s string) { m.Player = s }),
	choice("operation", effect.MediaOperations, func(m *effect.Media, i int) { m.Operation = effect.MediaOperations[i] }).or("action").required(),
}

// volume is a VolumeControl while it is read.
type volume struct {
	effect.VolumeControl
	value, step int32 // the nodes, or 0
}

var volumeFields = []field[volume]{
	label("app", func(v *volume, s string) { v.App = s }),
	label("device", func(v *volume, s string) { v.Device = s }),
	choice("target", []string{"output", "input"}, func(v *volume, i int) { v.Input = i == 1 }),
	decimal("limit", 1, maxVolume, func(v *volume, n float64) { v.Limit = n }).or("max"),
	{name: "step", read: func(r *reader, id int32, v *volume) {
		v.step = id
		v.Step, _ = r.decimal(id, 0.1, 100)
	}},
	{name: "value", read: func(_ *reader, id int32, v *volume) { v.value = id }},
	choice("operation", effect.VolumeOperations, func(v *volume, i int) { v.Operation = effect.VolumeOperation(i) }).or("action").required(),
}

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
		r.report(fault{code: Conflict, off: r.nodes[c].keyAt, node: c}, "there is device too")
	}
	return a
}
