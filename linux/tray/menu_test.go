//go:build linux

package tray

import (
	"reflect"
	"slices"
	"testing"

	"github.com/godbus/dbus/v5"
)

// labels are the titles of a menu with their numbers, depth first.
func labels(i *item) map[string]int32 {
	out := map[string]int32{}
	var walk func(*item)
	walk = func(i *item) {
		if i.entry.Title != "" {
			out[i.entry.Title] = i.id
		}
		for _, c := range i.children {
			walk(c)
		}
	}
	walk(i)
	return out
}

func TestNumbers(t *testing.T) {
	var n ids
	mode := func(now string) []Entry {
		modes := []Entry{{Key: "a", Title: "a", Mark: OneOf, Checked: now == "a"}, {Key: "b", Title: "b", Mark: OneOf, Checked: now == "b"}}
		return []Entry{{Key: "mode", Title: "Mode: " + now, Menu: modes}, {Key: "-"}, {Key: "quit", Title: "Quit"}}
	}
	first := n.build(nil, mode("a"))
	second := n.build(first, mode("b"))
	was, is := labels(first.root), labels(second.root)
	if is["Mode: b"] != was["Mode: a"] || is["a"] != was["a"] || is["b"] != was["b"] || is["Quit"] != was["Quit"] {
		t.Errorf("numbers changed: %v, then %v", was, is)
	}
	if second.revision != first.revision {
		t.Error("the same items in the same places, and another revision")
	}
	news, gone := second.differs(first)
	want := map[int32]map[string]dbus.Variant{
		was["Mode: a"]: {"label": dbus.MakeVariant("Mode: b")}, was["a"]: {"toggle-state": dbus.MakeVariant(int32(0))},
		was["b"]: {"toggle-state": dbus.MakeVariant(int32(1))},
	}
	got := map[int32]map[string]dbus.Variant{}
	for _, u := range news {
		got[u.ID] = u.Props
	}
	if !reflect.DeepEqual(got, want) || len(gone) != 0 {
		t.Errorf("changed %v, removed %v; want %v", got, gone, want)
	}

	// What went and came back is another thing.
	third := n.build(second, []Entry{{Key: "start", Title: "Start"}})
	if third.revision == second.revision {
		t.Error("other items, and the same revision")
	}
	fourth := n.build(third, mode("a"))
	for title, id := range labels(fourth.root) {
		if slices.Contains([]int32{was["a"], was["b"], was["Quit"], labels(third.root)["Start"]}, id) {
			t.Errorf("%s has the number %d of something else", title, id)
		}
	}
	if len(fourth.items) != 6 {
		t.Errorf("%d items are remembered", len(fourth.items))
	}

	// Two of one key are two.
	twice := n.build(nil, []Entry{{Key: "x", Title: "one"}, {Key: "x", Title: "two"}})
	again := n.build(twice, []Entry{{Key: "x", Title: "one"}, {Key: "x", Title: "two"}})
	if len(twice.items) != 3 || len(again.items) != 3 {
		t.Errorf("%d and %d items, want 3", len(twice.items), len(again.items))
	}
}

func TestProperties(t *testing.T) {
	for _, c := range []struct {
		entry Entry
		want  map[string]any
	}{
		{Entry{}, map[string]any{"type": "separator"}},
		{Entry{Title: "a_b"}, map[string]any{"label": "a__b"}},
		{Entry{Title: "x", Disabled: true, Mark: Tick}, map[string]any{"label": "x", "enabled": false, "toggle-type": "checkmark", "toggle-state": int32(0)}},
		{Entry{Title: "x", Mark: OneOf, Checked: true}, map[string]any{"label": "x", "toggle-type": "radio", "toggle-state": int32(1)}},
		{Entry{Title: "x", Menu: []Entry{{Title: "y"}}}, map[string]any{"label": "x", "children-display": "submenu"}},
	} {
		want := map[string]dbus.Variant{}
		for k, v := range c.want {
			want[k] = dbus.MakeVariant(v)
		}
		if got := properties(&c.entry); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %v, want %v", c.entry, got, want)
		}
	}
	var n ids
	was := n.build(nil, []Entry{{Key: "x", Title: "x", Disabled: true}})
	is := n.build(was, []Entry{{Key: "x", Title: "x"}})
	if _, gone := is.differs(was); len(gone) != 1 || !slices.Equal(gone[0].Names, []string{"enabled"}) {
		t.Errorf("removed %v, want enabled", gone)
	}
}

func TestIcons(t *testing.T) {
	seen := map[string]string{}
	for state := range looks {
		icons := Icon(state)
		for _, p := range icons {
			if len(p.Pixels) != int(4*p.Width*p.Height) {
				t.Errorf("%s: %d bytes for %d by %d", state, len(p.Pixels), p.Width, p.Height)
			}
		}
		grey := ""
		for i := 0; i < len(icons[0].Pixels); i += 4 { // where it is lit, whatever the colour
			p := icons[0].Pixels[i : i+4]
			grey += string(rune('0' + p[0]/255 + b(p[0] != 0 && (p[1] != dim.R || p[2] != dim.G))))
		}
		if other, ok := seen[grey]; ok && looks[other].colour != looks[state].colour {
			t.Errorf("without colour %s is as %s", state, other)
		}
		seen[grey] = state
	}
	if !reflect.DeepEqual(Icon("never heard of"), Icon("stopped")) {
		t.Error("a state without a look has another than that of stopped")
	}
}

func b(yes bool) byte {
	if yes {
		return 1
	}
	return 0
}
