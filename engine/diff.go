package engine

import (
	"reflect"
	"slices"

	"github.com/amiable-dev/midimon/engine/report"
)

// maxChanges is how many changes a Diff lists.
const maxChanges = 100

// Diff is what changes when next takes p's place: mappings by their ids, and what else. It
// takes long enough to be kept away from the notes.
func (p *Program) Diff(next *Program) report.Diff {
	var d report.Diff
	add := func(kind string, of *Program, m *Mapping) {
		if len(d.Changes) == maxChanges {
			d.More++
			return
		}
		c := report.Change{Kind: kind, ID: m.ID, Label: m.Label, Trigger: m.Trigger.Type.String(), Action: m.Action.Type()}
		if m.Mode != Global {
			c.Mode = of.Modes[m.Mode].Name
		}
		d.Changes = append(d.Changes, c)
	}
	is := make(map[string]*Mapping, len(next.Mappings))
	for i := range next.Mappings {
		is[next.Mappings[i].ID] = &next.Mappings[i]
	}
	for i := range p.Mappings {
		was := &p.Mappings[i]
		switch now := is[was.ID]; {
		case now == nil:
			add(report.Removed, p, was)
		case !p.sameMapping(was, next, now):
			add(report.Changed, next, now)
		}
		delete(is, was.ID)
	}
	for i := range next.Mappings {
		if m := &next.Mappings[i]; is[m.ID] != nil {
			add(report.Added, next, m)
		}
	}
	for _, other := range [...]struct {
		name string
		same bool
	}{
		{"modes", slices.EqualFunc(p.Modes, next.Modes, func(a, b Mode) bool { return p.sameMode(&a, next, &b) })},
		{"devices", reflect.DeepEqual(p.Devices, next.Devices)},
		{"timing", p.Timing == next.Timing},
	} {
		if !other.same {
			d.Other = append(d.Other, other.name)
		}
	}
	return d
}

// sameMapping compares mappings of two programs, which number their modes and devices each in
// its own way.
func (p *Program) sameMapping(a *Mapping, next *Program, b *Mapping) bool {
	x, y := *a, *b
	if (x.Mode == Global) != (y.Mode == Global) || x.Mode != Global && p.Modes[x.Mode].Name != next.Modes[y.Mode].Name {
		return false
	}
	i, j := x.Trigger.Device, y.Trigger.Device
	if (i == Any) != (j == Any) || i != Any && p.Devices[i].Name != next.Devices[j].Name {
		return false
	}
	x.Mode, x.Trigger.Device = y.Mode, j
	return reflect.DeepEqual(&x, &y)
}

func (p *Program) sameMode(a *Mode, next *Program, b *Mode) bool {
	return a.Name == b.Name && a.Color == b.Color && slices.Equal(a.Apps, b.Apps) &&
		p.samePassage(a.Enter, next, b.Enter) && p.samePassage(a.Exit, next, b.Exit)
}

func (p *Program) samePassage(a *Mapping, next *Program, b *Mapping) bool {
	if a == nil || b == nil {
		return a == b
	}
	return p.sameMapping(a, next, b)
}
