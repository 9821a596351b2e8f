package config

import (
	"strconv"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// reader walks a tree by the schema and builds a program. Everything a table can say is in
// the lists of fields; the reader only holds what they build.
type reader struct {
	*tree
	prog     *engine.Program
	settings Settings

	// Known from the start: mappings may name modes and devices that come after them.
	modes, devices names

	single        engine.Device // [device]
	modal, global mappings
	ids           map[string]int32 // the names of mappings, and where each stands

	reading mapping // the mapping being read
	left    bool    // it is left out
	toggles bool    // there are some in its action
	nesting int     // of the action being read
	runs    int     // Sequences and Repeats around it
	run     int32   // the outermost of them
	passage bool    // it is what a mode does when it begins or ends

	gestures bool   // some mapping may make others of its control wait
	reached  []bool // by mode: some ModeChange leads there
	stepped  bool   // some ModeChange leads everywhere
}

var rootFields = []field[reader]{
	later[reader]("include"),
	{name: "device", read: func(r *reader, id int32, _ *reader) {
		if r.is(id, tableNode) {
			r.single.Enabled = true
			readTable(r, id, deviceFields, &r.single)
		}
	}},
	each("devices", func(r *reader, id int32, _ int, _ *reader) { r.device(id) }),
	table("advanced_settings", timingFields, func(r *reader) *engine.Timing { return &r.prog.Timing }),
	later[reader]("input"),
	table("logging", loggingFields, func(r *reader) *Settings { return &r.settings }),
	each("modes", func(r *reader, id int32, i int, _ *reader) {
		m := mode{index: i}
		readTable(r, id, modeFields, &m)
		r.prog.Modes = append(r.prog.Modes, m.Mode)
	}),
	each("global_mappings", func(r *reader, id int32, i int, _ *reader) {
		r.mapping(id, "global_mappings["+strconv.Itoa(i)+"]", engine.Global, &r.global)
	}),
}

var timingFields = []field[engine.Timing]{
	whole("chord_timeout_ms", 1, 10_000, func(t *engine.Timing, n int64) { t.Chord = ms(n) }),
	whole("double_tap_timeout_ms", 1, 10_000, func(t *engine.Timing, n int64) { t.DoubleTap = ms(n) }),
	whole("hold_threshold_ms", 1, 60_000, func(t *engine.Timing, n int64) { t.Hold = ms(n) }),
	whole("max_hold_ms", 100, 3_600_000, func(t *engine.Timing, n int64) { t.MaxHold = ms(n) }),
}

var levels = []string{"error", "warn", "info", "debug"}

var loggingFields = []field[Settings]{
	choice("level", levels, func(s *Settings, i int) { s.LogLevel = levels[i] }),
	later[Settings]("file"),
}

// mode is a mode while it is read.
type mode struct {
	engine.Mode
	index int
}

var modeFields = []field[mode]{
	label("name", func(m *mode, s string) { m.Name = s }).required(),
	text("color", func(m *mode, s string) { m.Color = s }),
	{name: "apps", read: func(r *reader, id int32, m *mode) {
		if r.is(id, arrayNode) {
			for c := r.nodes[id].first; c != 0; c = r.nodes[c].next {
				if s, ok := r.pattern(c); ok {
					m.Apps = append(m.Apps, s)
				}
			}
		}
	}},
	{name: "enter", read: func(r *reader, id int32, m *mode) { m.Enter = r.passageOf(id, m.index) }},
	{name: "exit", read: func(r *reader, id int32, m *mode) { m.Exit = r.passageOf(id, m.index) }},
	each("mappings", func(r *reader, id int32, i int, m *mode) {
		r.mapping(id, "modes["+strconv.Itoa(m.index)+"].mappings["+strconv.Itoa(i)+"]", m.index, &r.modal)
	}),
}

// mapping is a mapping while it is read.
type mapping struct {
	engine.Mapping
	locked bool  // when_locked was given
	eager  int32 // the node, or 0
}

// mappings are mappings that were read, and their nodes.
type mappings struct {
	mappings []engine.Mapping
	nodes    []int32
}

var mappingFields = []field[mapping]{
	{name: "name", read: (*reader).mappingName},
	text("description", func(m *mapping, s string) { m.Label = s }),
	flag("enabled", func(m *mapping, b bool) { m.Enabled = b }),
	{name: "eager", read: func(r *reader, id int32, m *mapping) {
		if r.is(id, booleanNode) && r.nodes[id].num != 0 {
			m.eager = id
		}
	}},
	{name: "when", also: "condition", read: func(r *reader, id int32, m *mapping) {
		c := r.condition(id, 1)
		m.When = &c
	}},
	flag("when_locked", func(m *mapping, b bool) { m.WhenLocked, m.locked = b, true }),
	decimal("max_rate", 0.001, 1000, func(m *mapping, n float64) { m.MaxRate = n }),
	{name: "trigger", must: true, read: func(r *reader, id int32, m *mapping) {
		if r.is(id, tableNode) {
			r.trigger(id, &m.Trigger)
		}
	}},
	{name: "action", must: true, read: func(r *reader, id int32, m *mapping) {
		if r.is(id, tableNode) {
			m.Action = r.topAction(id)
		}
	}},
}

// mapping reads one mapping and appends it to list, unless it is left out.
func (r *reader) mapping(id int32, path string, mode int, list *mappings) {
	r.left = false
	m := &r.reading
	*m = mapping{Mapping: engine.Mapping{Mode: mode, Enabled: true}}
	readTable(r, id, mappingFields, m)
	if r.left || m.Action == nil {
		return
	}
	if m.ID == "" {
		m.ID = path
	}
	if !m.locked {
		m.WhenLocked = whenLocked(m.Action)
	}
	if r.toggles {
		nameToggles(m.Action, m.ID)
	}
	switch m.Trigger.Type {
	case engine.Note, engine.VelocityRange:
		m.Eager = m.eager != 0
	default:
		if m.eager != 0 {
			r.noEffect(m.eager, "only Note and VelocityRange can act before it is known what comes of the press")
		}
	}
	r.gestures = r.gestures || m.Trigger.Type >= engine.LongPress && m.Trigger.Type <= engine.NoteChord
	list.mappings = append(list.mappings, m.Mapping)
	list.nodes = append(list.nodes, id)
}

// whenLocked is whether an action acts while the session is locked, unless its mapping says:
// what does no harm there.
func whenLocked(a effect.Action) bool {
	switch a.(type) {
	case *effect.VolumeControl, *effect.Media, *effect.SendMidi, *effect.ModeChange:
		return true
	}
	return false
}

// passageOf reads what a mode does when it begins or ends.
func (r *reader) passageOf(id int32, mode int) *engine.Mapping {
	if !r.is(id, tableNode) {
		return nil
	}
	r.left, r.passage = false, true
	a := r.topAction(id)
	r.passage = false
	if r.left || a == nil {
		return nil
	}
	m := &engine.Mapping{Mode: mode, Action: a, Enabled: true, WhenLocked: whenLocked(a)}
	m.ID = "modes[" + strconv.Itoa(mode) + "]." + r.nodes[id].key
	nameToggles(a, m.ID)
	return m
}

// mappingName reads a name, which is the mapping's id: no two have the same, and none looks
// like the path by which those without a name are known.
func (r *reader) mappingName(id int32, m *mapping) {
	s, ok := r.label(id)
	if !ok {
		return
	}
	if strings.HasPrefix(s, "modes[") || strings.HasPrefix(s, "global_mappings[") {
		r.report(fault{code: BadName, off: r.nodes[id].off, node: id}, "%q looks like the path of a mapping without a name", s)
	}
	if r.ids == nil {
		r.ids = map[string]int32{}
	}
	r.differs(id, r.ids)
	m.ID = s
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
