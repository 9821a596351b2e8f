//go:build linux

package tray

import (
	"maps"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// A menu is a tree of items, made ready for those who ask. It is not changed.
type menu struct {
	revision uint32 // another one when items came, went or changed places
	root     *item
	items    map[int32]*item
}

// An item is an entry that has a number.
type item struct {
	id       int32
	path     string // the keys on the way to it
	entry    Entry
	props    map[string]dbus.Variant
	children []*item
}

// ids gives out numbers. What is the same to the user keeps its number for as long as it is there, and
// no number is used for two things: a click always means what was seen.
type ids struct{ last int32 }

// build makes the menu of some entries that comes after another one, or nil.
func (n *ids) build(was *menu, entries []Entry) *menu {
	known := map[string]int32{}
	if was != nil {
		for _, it := range was.items {
			known[it.path] = it.id
		}
	}
	m := &menu{items: map[int32]*item{}, root: &item{props: map[string]dbus.Variant{"children-display": dbus.MakeVariant("submenu")}}}
	m.items[0] = m.root
	m.root.children = n.children(m, known, "", entries)
	switch {
	case was == nil:
		m.revision = 1
	case m.root.alike(was.root):
		m.revision = was.revision
	default:
		m.revision = was.revision + 1
	}
	return m
}

func (n *ids) children(m *menu, known map[string]int32, above string, entries []Entry) (out []*item) {
	for _, e := range entries {
		it := &item{path: above + "\x00" + e.Key, entry: e, props: properties(&e)}
		var ok bool
		if it.id, ok = known[it.path]; !ok {
			n.last++
			it.id = n.last
		}
		delete(known, it.path) // a second one of that key gets a number of its own
		it.children = n.children(m, known, it.path, e.Menu)
		m.items[it.id] = it
		out = append(out, it)
	}
	return out
}

// alike says whether two trees have the same items in the same places.
func (i *item) alike(other *item) bool {
	return i.id == other.id && slices.EqualFunc(i.children, other.children, (*item).alike)
}

// properties are what is said of an entry (libdbusmenu's dbus-menu.xml). What is as usual is not said.
func properties(e *Entry) map[string]dbus.Variant {
	p := map[string]dbus.Variant{}
	if e.Title == "" {
		p["type"] = dbus.MakeVariant("separator")
		return p
	}
	p["label"] = dbus.MakeVariant(strings.ReplaceAll(e.Title, "_", "__")) // one alone marks an access key
	if e.Disabled {
		p["enabled"] = dbus.MakeVariant(false)
	}
	if e.Mark != Unmarked {
		state := int32(0)
		if e.Checked {
			state = 1
		}
		p["toggle-type"], p["toggle-state"] = dbus.MakeVariant(string(e.Mark)), dbus.MakeVariant(state)
	}
	if len(e.Menu) > 0 {
		p["children-display"] = dbus.MakeVariant("submenu")
	}
	return p
}

// updated is what is said of an item now: (ia{sv}).
type updated struct {
	ID    int32
	Props map[string]dbus.Variant
}

// removed is what is not said of an item any more: (ias).
type removed struct {
	ID    int32
	Names []string
}

// differs tells what is said of items now that was not before, of those that were there.
func (m *menu) differs(was *menu) (news []updated, gone []removed) {
	news, gone = []updated{}, []removed{}
	for _, id := range slices.Sorted(maps.Keys(m.items)) {
		before, ok := was.items[id]
		if !ok {
			continue
		}
		now := m.items[id].props
		changed := map[string]dbus.Variant{}
		for name, v := range now {
			if old, ok := before.props[name]; !ok || old != v {
				changed[name] = v
			}
		}
		var lost []string
		for name := range before.props {
			if _, ok := now[name]; !ok {
				lost = append(lost, name)
			}
		}
		if len(changed) > 0 {
			news = append(news, updated{id, changed})
		}
		if len(lost) > 0 {
			slices.Sort(lost)
			gone = append(gone, removed{id, lost})
		}
	}
	return news, gone
}

// layout is an item and what is below it: (ia{sv}av).
type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

// layout is an item with as many levels below it as depth says (negative: all), and those of its
// properties that have one of the names (none: all).
func (i *item) layout(depth int32, names []string) layout {
	l := layout{ID: i.id, Props: chosen(i.props, names), Children: []dbus.Variant{}}
	if depth != 0 {
		for _, c := range i.children {
			l.Children = append(l.Children, dbus.MakeVariant(c.layout(depth-1, names)))
		}
	}
	return l
}

func chosen(props map[string]dbus.Variant, names []string) map[string]dbus.Variant {
	if len(names) == 0 {
		return props
	}
	out := map[string]dbus.Variant{}
	for _, name := range names {
		if v, ok := props[name]; ok {
			out[name] = v
		}
	}
	return out
}
