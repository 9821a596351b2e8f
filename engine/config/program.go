package config

import (
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
)

// defaultMode is the mode of a file that has none.
const defaultMode = "Default"

// anyDevice is the device of a file that has none.
const anyDevice = "any"

// program reads the whole tree: everything but the lookup.
func (r *reader) program() {
	r.prog = &engine.Program{Timing: engine.DefaultTiming}
	r.modes, r.devices = r.names("modes"), r.names("devices")
	if len(r.modes.list) == 0 {
		r.modes.add(defaultMode)
	}
	if id := r.find(0, "device"); id != 0 {
		r.devices.add(r.nodes[r.find(id, "name")].str)
	}
	if len(r.devices.list) == 0 {
		r.devices.add(anyDevice)
	}
	r.reached = make([]bool, len(r.modes.list))
	r.reserve()
	readTable(r, 0, rootFields, r)

	p := r.prog
	if len(p.Modes) == 0 {
		p.Modes = []engine.Mode{{Name: defaultMode}}
	}
	r.finishDevices()
	p.Mappings = slices.Concat(r.modal.mappings, r.global.mappings)
	if !r.gestures {
		return
	}
	for i := range p.Mappings {
		if t := &p.Mappings[i].Trigger; t.Duration == 0 {
			t.Duration = duration(&p.Timing, t.Type)
		}
	}
}

// duration is how long a gesture takes that does not say it.
func duration(t *engine.Timing, typ engine.TriggerType) time.Duration {
	switch typ {
	case engine.LongPress:
		return t.Hold
	case engine.DoubleTap, engine.MultiTap:
		return t.DoubleTap
	case engine.NoteChord:
		return t.Chord
	default:
		return 0
	}
}

// reserve makes room for the modes' mappings: they are most of a file.
func (r *reader) reserve() {
	modes := r.find(0, "modes")
	if modes == 0 {
		return
	}
	n := int32(0)
	for c := r.nodes[modes].first; c != 0; c = r.nodes[c].next {
		if m := r.find(c, "mappings"); m != 0 {
			n += r.nodes[m].size
		}
	}
	r.modal.mappings = make([]engine.Mapping, 0, n)
	r.modal.nodes = make([]int32, 0, n)
}

func (r *reader) finishDevices() {
	id, p := r.find(0, "device"), r.prog
	switch {
	case id != 0 && len(p.Devices) > 0:
		r.report(fault{
			code: Conflict, off: r.nodes[id].keyAt, node: id, hint: "write it as one more [[devices]]",
		}, "there is a list of devices too")
	case id != 0:
		p.Devices = []engine.Device{r.single}
	case len(p.Devices) == 0:
		p.Devices = []engine.Device{{Name: anyDevice, Match: []engine.Match{{{Kind: engine.MatchAny}}}, Enabled: true}}
	}
}

// names are the names of modes or devices, each at its index.
type names struct {
	list  []string
	index map[string]int
}

// names reads the names in an array of tables, and checks that they differ.
func (r *reader) names(key string) names {
	n := names{index: map[string]int{}}
	id := r.find(0, key)
	if k := r.nodes[id].kind; id == 0 || k != tablesNode && k != arrayNode {
		return n
	}
	seen := map[string]int32{}
	for c := r.nodes[id].first; c != 0; c = r.nodes[c].next {
		name := ""
		if at := r.find(c, "name"); at != 0 {
			name = r.nodes[at].str
			r.differs(at, seen)
		}
		n.add(name)
	}
	return n
}

func (n *names) add(name string) {
	n.index[name] = len(n.list)
	n.list = append(n.list, name)
}

// differs says so if the name at n was seen before.
func (r *reader) differs(n int32, seen map[string]int32) {
	name := r.nodes[n].str
	if name == "" {
		return // a fault of its own
	}
	if before, ok := seen[name]; ok {
		r.report(fault{code: DuplicateName, off: r.nodes[n].off, node: n}, "%q is already the name of another, on line %d", name, r.lineAt(r.nodes[before].off))
		return
	}
	seen[name] = n
}

// nodeOf is where a mapping of the program stands.
func (r *reader) nodeOf(mapping int) int32 {
	if n := len(r.modal.nodes); mapping >= n {
		return r.global.nodes[mapping-n]
	}
	return r.modal.nodes[mapping]
}

// shadowed warns of mappings that can never act.
func (r *reader) shadowed(covered []engine.Covered) {
	for _, c := range covered {
		id := r.nodeOf(c.Mapping)
		r.report(fault{code: Shadowed, off: r.nodes[id].off, node: id, warn: true},
			"never acts: %s always acts before it", r.prog.Mappings[c.By].ID)
	}
}
