//go:build linux

package keys

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/report"
)

// The ways, by the names that a configuration has for them.
const (
	byWayland = "wayland"
	byUinput  = "uinput"
	byPortal  = "portal"
	byXTest   = "xtest"

	anyway = "auto"
)

// ways is their order where nothing else speaks.
var ways = []string{byWayland, byUinput, byPortal, byXTest}

// world is what the desktop offers. Of each way it has why it is no good; empty: it is good.
type world struct {
	compositor string // the socket of the compositor; empty: there is none
	pointer    bool   // the compositor has virtual mice too
	display    string // of the X server
	authority  string

	granted bool // the user has allowed the portal

	wayland, uinput, portal, xtest string

	console report.Check // why uinput types nothing, where there is no desktop; empty: it does
}

func (w *world) why(way string) string {
	switch way {
	case byWayland:
		return w.wayland
	case byUinput:
		return w.uinput
	case byPortal:
		return w.portal
	case byXTest:
		return w.xtest
	}
	return "there is no such way"
}

// choice is what does what. Empty: nothing does.
type choice struct {
	keys, text, mouse string
}

// choose says what does what. A backend that the configuration names does all that it can, and no other
// does the rest.
func choose(w *world, backend string) choice {
	first := func(order ...string) string {
		for _, way := range order {
			if w.why(way) == "" {
				return way
			}
		}
		return ""
	}
	switch {
	case backend != "" && backend != anyway:
		way := first(backend)
		c := choice{way, way, way}
		if way == byWayland && !w.pointer {
			c.mouse = ""
		}
		return c
	case w.compositor != "" && w.wayland == "":
		c := choice{keys: byWayland, text: byWayland, mouse: byWayland}
		if !w.pointer {
			c.mouse = first(byUinput, byPortal)
		}
		return c
	case w.compositor != "":
		// Never XTEST: Xwayland's reaches X programs only, or asks the user.
		way := first(byUinput, byPortal)
		c := choice{way, way, way}
		if w.granted && w.portal == "" { // it knows which layout is chosen
			c.text = byPortal
		}
		return c
	case w.display != "":
		way := first(byXTest, byUinput)
		return choice{way, way, way}
	}
	way := first(byUinput)
	return choice{way, way, way}
}

// uses are the ways of a choice, each once.
func (c choice) uses() []string {
	all := slices.DeleteFunc([]string{c.keys, c.text, c.mouse}, func(s string) bool { return s == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

// explain says what does what, and why the others do not.
func explain(w *world, backend string, c choice) string {
	what := map[string][]string{}
	for _, p := range [][2]string{{"keys", c.keys}, {"text", c.text}, {"mouse", c.mouse}} {
		what[p[1]] = append(what[p[1]], p[0])
	}
	var parts []string
	for _, way := range append(slices.Clone(ways), "") {
		if done := what[way]; done != nil {
			parts = append(parts, strings.Join(done, ", ")+" by "+cmp.Or(way, "nothing"))
		}
	}
	for _, way := range ways {
		switch why := w.why(way); {
		case slices.Contains(c.uses(), way):
		case why != "":
			parts = append(parts, fmt.Sprintf("not %s: %s", way, why))
		case backend != "" && backend != anyway:
			parts = append(parts, fmt.Sprintf("not %s: the configuration wants %s", way, backend))
		default:
			parts = append(parts, fmt.Sprintf("not %s: not needed", way))
		}
	}
	return strings.Join(parts, "; ")
}
