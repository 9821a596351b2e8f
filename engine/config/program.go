package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// defaultMode is the mode of a file that has none.
const defaultMode = "Default"

// anyDevice is the device of a file that has none.
const anyDevice = "any"

// program reads the whole tree: everything but the lookup.
func (r *reader) program() {
	r.prog = &engine.Program{Timing: engine.DefaultTiming}
	r.modeNames = r.names("modes")
	if len(r.modeNames) == 0 {
		r.modeNames = []string{defaultMode}
	}
	r.deviceNames = r.names("devices")
	if id := r.find(0, "device"); id != 0 {
		r.deviceNames = append(r.deviceNames, r.nodes[r.find(id, "name")].str)
	}
	if len(r.deviceNames) == 0 {
		r.deviceNames = []string{anyDevice}
	}
	r.reserve()
	readTable(r, 0, rootFields, r)

	p := r.prog
	if len(p.Modes) == 0 {
		p.Modes = []engine.Mode{{Name: defaultMode}}
	}
	r.finishDevices()
	p.Mappings = slices.Concat(r.modal.mappings, r.global.mappings)
	for i := range p.Mappings {
		if t := &p.Mappings[i].Trigger; t.Type == engine.LongPress && t.Duration == 0 {
			t.Duration = p.Timing.Hold
		}
	}
}

// reserve makes room for the modes' mappings: they are most of a file.
func (r *reader) reserve() {
	n := int32(0)
	for c := r.nodes[r.find(0, "modes")].first; c != 0; c = r.nodes[c].next {
		n += r.nodes[r.find(c, "mappings")].size
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

// names are the names in an array of tables, each at its index, and checked to differ.
func (r *reader) names(key string) []string {
	id := r.find(0, key)
	if k := r.nodes[id].kind; id == 0 || k != tablesNode && k != arrayNode {
		return nil
	}
	var names []string
	seen := map[string]int32{}
	for c := r.nodes[id].first; c != 0; c = r.nodes[c].next {
		n := r.find(c, "name")
		if n == 0 {
			names = append(names, "")
			continue
		}
		names = append(names, r.nodes[n].str)
		r.differs(n, seen)
	}
	return names
}

// differs says so if the name at n was seen before.
func (r *reader) differs(n int32, seen map[string]int32) {
	name := r.nodes[n].str
	if name == "" {
		return // a fault of its own
	}
	if before, ok := seen[name]; ok {
		line, _ := r.position(r.nodes[before].off)
		r.report(fault{code: DuplicateName, off: r.nodes[n].off, node: n}, "%q is already the name of another, on line %d", name, line)
		return
	}
	seen[name] = n
}

// shadowed warns of mappings that can never act.
func (r *reader) shadowed(covered []engine.Covered) {
	nodes := slices.Concat(r.modal.nodes, r.global.nodes)
	for _, c := range covered {
		id := nodes[c.Mapping]
		r.report(fault{code: Shadowed, off: r.nodes[id].off, node: id, warn: true},
			"never acts: %s always acts before it", r.prog.Mappings[c.By].ID)
	}
}

func quoted(words []string) string {
	var list []string
	for _, w := range words {
		list = append(list, strconv.Quote(w))
	}
	return strings.Join(list, ", ")
}
