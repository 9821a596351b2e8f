//go:build linux

package keys

import (
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

// TestNoMouse: where nothing moves the mouse, who wants that is told so, and keys go on.
func TestNoMouse(t *testing.T) {
	w := &world{compositor: "/s"}
	b := New(nil, func(string) string { return "" }, nil)
	b.chosen = choose(w, byWayland)
	b.ways = map[string]way{}
	for _, name := range b.chosen.uses() {
		b.ways[name] = &waylandWay{} // as one is without a virtual mouse
	}
	place := &effect.MouseClick{Place: &effect.Place{X: 1, Y: 2}}
	want := map[string]string{
		"MouseMove": "cannot perform MouseMove: nothing here does", "Scroll": "cannot perform Scroll: nothing here does", "MouseClick": errNoMouse.Error(),
	}
	for _, x := range []*effect.Effect{
		{Kind: effect.Act, Action: &effect.MouseMove{X: 1}},
		{Kind: effect.Act, Action: &effect.MouseMove{X: 1, Absolute: true}},
		{Kind: effect.Act, Action: &effect.Scroll{Y: 1}},
		{Kind: effect.KeyDown, Action: place, Keys: effect.NewChord(0x110)},
	} {
		if err := b.Do(x); err == nil || err.Error() != want[x.Action.Type()] {
			t.Errorf("%s: %v", x.Action.Type(), err)
		}
	}
}
