package config

import (
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
)

// defaultMode is the mode of a file that has none.
const defaultMode = "Default"

// anyDevice is the device of a file that has none.
const anyDevice = "any"

// program reads the trees of all files: everything but the lookup.
func (r *reader) program() {
	r.prog = &engine.Program{Timing: engine.DefaultTiming}
	r.modes, r.devices = r.names("modes", true), r.names("devices", false)
	for _, t := range r.files {
		if id := t.find(0, "device"); id != 0 {
			r.devices.add(t.str(t.find(id, "name")))
		}
	}
	if len(r.modes.list) == 0 {
		r.modes.add(defaultMode)
	}
	if len(r.devices.list) == 0 {
		r.devices.add(anyDevice)
	}
	r.prog.Modes = make([]engine.Mode, len(r.modes.list))
	r.prog.Modes[0].Name = r.modes.list[0]
	r.reached = make([]bool, len(r.modes.list))
	r.reserve()
	for _, t := range r.files {
		r.tree = t
		readTable(r, 0, rootTable, r)
	}
	for _, d := range slices.Backward(r.deferred) {
		r.tree = d.tree
		d.read(r, d.node)
	}
	r.tree = r.files[0]
	r.finishDevices()
	r.finishMappings()
	r.copyNames()
}

// copyNames copies what is still known when the program is another: the names of modes and devices, and
// what these are found by. The whole text would be kept for one of them.
func (r *reader) copyNames() {
	for i := range r.prog.Modes {
		m := &r.prog.Modes[i]
		m.Name = strings.Clone(m.Name)
	}
	for i := range r.prog.Devices {
		d := &r.prog.Devices[i]
		d.Name = strings.Clone(d.Name)
		for _, m := range d.Match {
			for k := range m {
				m[k].Value = strings.Clone(m[k].Value)
			}
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

// reserve makes room for the mappings: they are most of a file, and stand in one list, the
// modes' before the global ones.
func (r *reader) reserve() {
	modal, global := 0, 0
	for _, t := range r.files {
		for c, _ := t.list(0, "modes"); c != 0; c = t.nodes[c].next {
			_, n := t.list(c, "mappings")
			modal += int(n)
		}
		_, n := t.list(0, "global_mappings")
		global += int(n)
	}
	all, places := make([]engine.Mapping, modal+global), make([]place, modal+global)
	r.modal = mappings{all[:0:modal], places[:0:modal], make([]int, len(r.modes.list))}
	r.global = mappings{all[modal:modal], places[modal:modal], make([]int, 1)}
	r.prog.Mappings = all
	const path = len("modes[10].mappings[100]")
	r.paths.Grow((modal + global) * path)
}

// finishMappings puts the mappings in the order in which they are looked up.
func (r *reader) finishMappings() {
	p, n := r.prog, len(r.modal.list)
	if len(r.files) > 1 {
		r.groupByMode()
	}
	if n+len(r.global.list) < len(p.Mappings) { // some were left out
		p.Mappings = slices.Concat(r.modal.list, r.global.list)
	}
	if !r.gestures {
		return
	}
	for i := range p.Mappings {
		if t := &p.Mappings[i].Trigger; t.Duration == 0 {
			t.Duration = duration(&p.Timing, t.Type)
		}
	}
}

// groupByMode brings together what several files say of one mode.
func (r *reader) groupByMode() {
	order := make([]int, len(r.modal.list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return r.modal.list[a].Mode - r.modal.list[b].Mode })
	list, places := slices.Clone(r.modal.list), slices.Clone(r.modal.places)
	for to, from := range order {
		r.modal.list[to], r.modal.places[to] = list[from], places[from]
	}
}

// single is the device of a file in the form of the days when there was one.
type single struct {
	engine.Device
	at place
}

func (r *reader) finishDevices() {
	p := r.prog
	for i, s := range r.singles {
		if len(p.Devices) == 0 && i == 0 {
			continue
		}
		s.at.report(fault{
			code: Conflict, off: s.at.keyAt(s.at.node), node: s.at.node, hint: "write it as one more [[devices]]",
		}, "there are other devices too")
	}
	switch {
	case len(r.singles) > 0:
		p.Devices = append(p.Devices, r.singles[0].Device)
	case len(p.Devices) == 0:
		p.Devices = []engine.Device{{Name: anyDevice, Match: []engine.Match{{{Kind: engine.MatchAny}}}, Enabled: true}}
	}
}

// names are the names of modes or devices, each at its index.
type names struct {
	list  []string
	index map[string]int
}

// names reads the names in an array of tables of every file, and checks that they differ. Files
// may share a name that is no device's: what they say of it is put together.
func (r *reader) names(key string, shared bool) names {
	n := names{index: map[string]int{}}
	seen := map[string]place{}
	for _, r.tree = range r.files {
		if shared {
			clear(seen)
		}
		for c, _ := r.list(0, key); c != 0; c = r.nodes[c].next {
			name := ""
			if at := r.find(c, "name"); at != 0 {
				name = r.str(at)
				r.differs(at, seen)
			}
			n.add(name)
		}
	}
	return n
}

// add takes a name in, unless it is there.
func (n *names) add(name string) {
	if _, ok := n.index[name]; !ok {
		n.index[name] = len(n.list)
		n.list = append(n.list, name)
	}
}

// differs says so if the name at n was seen before.
func (r *reader) differs(n int32, seen map[string]place) {
	name := r.str(n)
	if name == "" {
		return // a fault of its own
	}
	before, ok := seen[name]
	switch {
	case !ok:
		seen[name] = place{r.tree, n}
	case r.full(false):
	case before.tree != r.tree:
		r.report(fault{code: DuplicateName, off: r.nodes[n].off, node: n}, "%q is already the name of another, in %s", name, before.file)
	default:
		r.report(fault{code: DuplicateName, off: r.nodes[n].off, node: n}, "%q is already the name of another, on line %d", name, r.lineAt(r.nodes[before.node].off))
	}
}

// at is where a mapping of the program stands.
func (r *reader) at(mapping int) place {
	if n := len(r.modal.places); mapping >= n {
		return r.global.places[mapping-n]
	}
	return r.modal.places[mapping]
}

// shadowed warns of mappings that can never act.
func (r *reader) shadowed(covered []engine.Covered) {
	r.warnings = slices.Grow(r.warnings, min(len(covered), maxDiagnostics-len(r.warnings)))
	for _, c := range covered {
		if r.full(true) {
			continue
		}
		at := r.at(c.Mapping)
		at.say(fault{code: Shadowed, off: at.nodes[at.node].off, node: at.node, warn: true},
			"never acts: "+r.prog.Mappings[c.By].ID+" always acts before it")
	}
}
