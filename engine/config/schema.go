package config

import (
	"strconv"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// reader walks the trees of a configuration's files by the schema and builds a program.
// Everything a table can say is in the tables of fields; the reader only holds what they
// build.
type reader struct {
	*tree // the file that is being read
	files []*tree
	prog  *engine.Program

	settings Settings
	deferred []deferred // tables of settings: a file's come before those of the files it includes

	// Known from the start: mappings may name modes and devices that come after them.
	modes, devices names

	singles       []single // [device]
	modal, global mappings
	ids           map[string]place // the names of mappings, and where each stands
	paths         strings.Builder  // the ids of mappings without a name

	reading    mapping            // the mapping being read
	left       bool               // it is left out
	toggles    bool               // there are some in its action
	pressing   keystroke          // the keystroke being read
	keystrokes []effect.Keystroke // that are left of a block
	words      []string           // and these

	nesting int   // of the action being read
	runs    int   // Sequences and Repeats around it
	run     int32 // the outermost of them
	passage bool  // it is what a mode does when it begins or ends

	gestures bool   // some mapping may make others of its control wait
	reached  []bool // by mode: some ModeChange leads there
	stepped  bool   // some ModeChange leads everywhere
}

// place is a node of some file.
type place struct {
	*tree
	node int32
}

// deferred is a table of settings and who reads it.
type deferred struct {
	place
	read func(*reader, int32)
}

var rootTable = tableOf(
	field[reader]{
		name: "include", doc: "More files, relative to this one. Their modes, mappings and devices stand behind those of this file, and of settings this file's hold.",
		shape: manyOf(wordShape, 0, 0), read: func(*reader, int32, *reader) {}, // read before all else
	},
	field[reader]{
		name: "device", doc: "The one device, by a part of the name that it shows. With several, write [[devices]].", shape: named("device"),
		read: func(r *reader, id int32, _ *reader) {
			if r.is(id, tableNode) {
				s := single{Device: engine.Device{Enabled: true}, at: place{r.tree, id}}
				readTable(r, id, deviceTable, &s.Device)
				r.singles = append(r.singles, s)
			}
		},
	},
	each("devices", "devices", func(r *reader, id int32, _ int, _ *reader) { r.device(id) }).says("The devices that midimon listens to. Without any, every controller is heard."),
	settings("advanced_settings", timingTable, func(r *reader) *engine.Timing { return &r.prog.Timing }).says("What holds where a mapping says nothing else."),
	settings("input", inputTable, func(r *reader) *Settings { return &r.settings }).says("How keys are pressed."),
	settings("logging", loggingTable, func(r *reader) *Settings { return &r.settings }).says("What midimon says of itself."),
	each("modes", "mode", (*reader).mode).says("Sets of mappings, of which one acts at a time. The first is the one to begin with."),
	each("global_mappings", "mapping", func(r *reader, id int32, _ int, _ *reader) {
		r.mapping(id, engine.Global, &r.global)
	}).says("Mappings of every mode. They act where the mode's own do not."),
)

// settings is a table whose keys hold for everything. It is read when all files were seen.
func settings[U any](name string, t *table[U], of func(*reader) *U) field[reader] {
	return field[reader]{name: name, shape: named(name), read: func(r *reader, id int32, _ *reader) {
		r.deferred = append(r.deferred, deferred{place{r.tree, id}, func(r *reader, id int32) {
			if r.is(id, tableNode) {
				readTable(r, id, t, of(r))
			}
		}})
	}}
}

var timingTable = tableOf(
	whole("chord_timeout_ms", 1, maxWindow, func(t *engine.Timing, n int64) { t.Chord = ms(n) }).says("How far apart the notes of a chord may come. 50."),
	whole("double_tap_timeout_ms", 1, maxWindow, func(t *engine.Timing, n int64) { t.DoubleTap = ms(n) }).says("From one tap to the next of a DoubleTap or MultiTap. 300."),
	whole("hold_threshold_ms", 1, maxHold, func(t *engine.Timing, n int64) { t.Hold = ms(n) }).says("How long a LongPress takes. 2000."),
	whole("max_hold_ms", 100, 3_600_000, func(t *engine.Timing, n int64) { t.MaxHold = ms(n) }).says("No key stays down for longer. 30000."),
)

var (
	levels   = []string{"error", "warn", "info", "debug"}
	backends = []string{"auto", "wayland", "uinput", "portal", "xtest"}
)

var inputTable = tableOf(
	choice("backend", backends, func(s *Settings, i int) { s.Backend = backends[i] }).says("Who presses keys. auto: the first that can."),
)

var loggingTable = tableOf(
	choice("level", levels, func(s *Settings, i int) { s.LogLevel = levels[i] }).says("How much is logged. info."),
	label("file", func(s *Settings, f string) { s.LogFile = strings.Clone(f) }).says("A file to log to, besides the journal."),
)

// mode is a mode while it is read.
type mode struct {
	engine.Mode
	index int
}

var modeTable = tableOf(
	label("name", func(m *mode, s string) { m.Name = s }).required().says("What ModeChange, the status and the bus call it."),
	text("color", func(m *mode, s string) { m.Color = s }).says("For lamps and widgets."),
	field[mode]{
		name: "apps", doc: "Patterns over the ids of applications: the mode acts while one of them has the focus.", shape: manyOf(wordShape, 0, 0),
		read: func(r *reader, id int32, m *mode) {
			if !r.is(id, arrayNode) {
				return
			}
			for c := r.first(id); c != 0; c = r.nodes[c].next {
				if s, ok := r.pattern(c); ok {
					m.Apps = append(m.Apps, s)
				}
			}
		},
	},
	passage("enter", "What is done when the mode begins to act.", func(m *mode) **engine.Mapping { return &m.Enter }),
	passage("exit", "What is done when it ends.", func(m *mode) **engine.Mapping { return &m.Exit }),
	each("mappings", "mapping", func(r *reader, id int32, _ int, m *mode) {
		r.mapping(id, m.index, &r.modal)
	}).says("What this mode's controls do. Of those that fit the first one acts."),
)

func passage(name, doc string, of func(*mode) **engine.Mapping) field[mode] {
	return field[mode]{name: name, doc: doc, shape: named("action"), read: func(r *reader, id int32, m *mode) {
		*of(m) = r.passageOf(id, name, m.index)
	}}
}

// mode reads one mode. Its name is known before its other keys are read, wherever it stands.
// What several files say of one mode is put together: what the first says of it holds.
func (r *reader) mode(id int32, _ int, _ *reader) {
	m := mode{Mode: engine.Mode{Name: r.str(r.find(id, "name"))}}
	m.index = r.modes.index[m.Name]
	readTable(r, id, modeTable, &m)
	had := &r.prog.Modes[m.index]
	if had.Name = m.Name; had.Color == "" {
		had.Color = m.Color
	}
	had.Apps = append(had.Apps, m.Apps...)
	if had.Enter == nil {
		had.Enter = m.Enter
	}
	if had.Exit == nil {
		had.Exit = m.Exit
	}
}

// mapping is a mapping while it is read.
type mapping struct {
	*engine.Mapping
	locked bool  // when_locked was given
	eager  int32 // the node, or 0
}

// mappings are mappings that were read, and where each stands.
type mappings struct {
	list   []engine.Mapping
	places []place
	count  []int // of each mode, with those that are left out
}

var mappingTable = tableOf(
	field[mapping]{name: "name", doc: "Its id on the bus, in the log and on the command line. No two are the same.", shape: wordShape, read: (*reader).mappingName},
	text("description", func(m *mapping, s string) { m.Label = s }).says("What it does, for people."),
	flag("enabled", func(m *mapping, b bool) { m.Enabled = b }).says("false: as if it were not there. true."),
	field[mapping]{
		name: "eager", doc: "true: acts at the press, whatever else the control may mean. Note and VelocityRange. false.", shape: flagShape,
		read: func(r *reader, id int32, m *mapping) {
			if r.is(id, booleanNode) && r.nodes[id].num != 0 {
				m.eager = id
			}
		},
	},
	field[mapping]{
		name: "when", also: "condition", doc: "Must hold at the press.", shape: named("condition"),
		read: func(r *reader, id int32, m *mapping) {
			c := r.condition(id, 1)
			m.When = &c
		},
	},
	flag("when_locked", func(m *mapping, b bool) { m.WhenLocked, m.locked = b, true }).
		says("Acts while the session is locked. true for VolumeControl, Media, SendMidi and ModeChange, else false."),
	decimal("max_rate", 0.001, 1000, func(m *mapping, n float64) { m.MaxRate = n }).says("How often a second it may act."),
	field[mapping]{
		name: "trigger", must: true, doc: "What it listens for.", shape: named("trigger"),
		read: func(r *reader, id int32, m *mapping) {
			if r.is(id, tableNode) {
				r.trigger(id, &m.Trigger)
			}
		},
	},
	field[mapping]{
		name: "action", must: true, doc: "What it does.", shape: named("action"),
		read: func(r *reader, id int32, m *mapping) {
			if r.is(id, tableNode) {
				m.Action = r.topAction(id)
			}
		},
	},
)

// mapping reads one mapping in its place in the list, and takes it away again if it is left
// out.
func (r *reader) mapping(id int32, mode int, list *mappings) {
	n := len(list.list)
	list.list = list.list[:n+1]
	m := &r.reading
	*m = mapping{Mapping: &list.list[n]}
	m.Mode, m.Enabled = mode, true
	r.left = false
	readTable(r, id, mappingTable, m)
	i := max(0, mode)
	list.count[i]++
	if r.left || m.Action == nil {
		*m.Mapping = engine.Mapping{}
		list.list = list.list[:n]
		return
	}
	list.places = append(list.places, place{r.tree, id})
	if m.ID == "" {
		m.ID = r.pathOf(mode, list.count[i]-1)
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
	if t := &m.Trigger; t.Channel != engine.Any && (t.Type == engine.Transport || t.Type == engine.SysExclusive) {
		t.Channel = engine.Any
		r.noEffect(r.find(r.find(id, "trigger"), "channel"), "the message has no channel")
	}
	r.gestures = r.gestures || m.Trigger.Type >= engine.LongPress && m.Trigger.Type <= engine.NoteChord
}

// pathOf is the id of a mapping without a name. The ids share their memory: most mappings have
// none.
func (r *reader) pathOf(mode, i int) string {
	from := r.paths.Len()
	var room [len("modes[].mappings[]") + 2*20]byte
	path := append(room[:0], "global_mappings["...)
	if mode != engine.Global {
		path = strconv.AppendInt(append(room[:0], "modes["...), int64(mode), 10)
		path = append(path, "].mappings["...)
	}
	r.paths.Write(append(strconv.AppendInt(path, int64(i), 10), ']'))
	return r.paths.String()[from:]
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
func (r *reader) passageOf(id int32, name string, mode int) *engine.Mapping {
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
	m.ID = "modes[" + strconv.Itoa(mode) + "]." + name
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
		r.ids = map[string]place{}
	}
	r.differs(id, r.ids)
	m.ID = s
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
