package config

import (
	"github.com/amiable-dev/midimon/engine/effect"
)

// The bounds of the screen, in pixels, and of one turn of the wheel.
const (
	maxPixel = 1<<15 - 1
	maxNotch = 100
)

// mouseButtons are the buttons by name and their keys (linux/input-event-codes.h, BTN_LEFT to
// BTN_EXTRA).
var (
	mouseButtons = []string{"left", "right", "middle", "back", "forward"}
	mouseKeys    = []effect.Key{0x110, 0x111, 0x112, 0x113, 0x114}
)

// pointer is an action of the mouse while it is read.
type pointer struct {
	button         int
	x, y           int32
	hold, absolute bool
}

func coordinate(name, doc string, lo, hi int64, set func(*pointer, int32)) field[pointer] {
	return whole(name, lo, hi, func(p *pointer, n int64) { set(p, int32(n)) }).says(doc)
}

func setX(p *pointer, n int32) { p.x = n }
func setY(p *pointer, n int32) { p.y = n }

var clickTable = tableOf(
	flag("hold", func(p *pointer, b bool) { p.hold = b }).says("true: down until the control is let go of. false: a click."),
	coordinate("y", "Where, from the top of the screen. Without x and y: where the pointer is.", 0, maxPixel, setY),
	coordinate("x", "Where, from the left of the screen.", 0, maxPixel, setX),
	choice("button", mouseButtons, func(p *pointer, i int) { p.button = i }).says("Which. left."),
)

var moveTable = tableOf(
	flag("absolute", func(p *pointer, b bool) { p.absolute = b }).says("true: to that place on the screen. false: by that much."),
	coordinate("y", "Pixels down.", -maxPixel, maxPixel, setY),
	coordinate("x", "Pixels to the right.", -maxPixel, maxPixel, setX),
)

var scrollTable = tableOf(
	coordinate("y", "Notches down.", -maxNotch, maxNotch, setY),
	coordinate("x", "Notches to the right.", -maxNotch, maxNotch, setX),
)

func (r *reader) click(id int32, p *pointer) effect.Action {
	a := &effect.MouseClick{Button: mouseButtons[p.button], Hold: p.hold, Chord: effect.NewChord(mouseKeys[p.button])}
	switch x, y := r.find(id, "x"), r.find(id, "y"); {
	case x != 0 && y != 0:
		a.Place = &effect.Place{X: p.x, Y: p.y}
	case x != 0:
		r.noEffect(x, "there is no y")
	case y != 0:
		r.noEffect(y, "there is no x")
	}
	return a
}

func (r *reader) move(id int32, p *pointer) effect.Action {
	x, y := r.find(id, "x"), r.find(id, "y")
	if x == 0 && (p.absolute || y == 0) {
		r.missing(id, "x")
	}
	if y == 0 && p.absolute {
		r.missing(id, "y")
	}
	for _, c := range []int32{x, y} {
		if p.absolute && c != 0 && r.nodes[c].kind == integerNode && r.nodes[c].num < 0 {
			r.outOfRange(c, r.nodes[c].num, 0, maxPixel)
		}
	}
	return &effect.MouseMove{X: p.x, Y: p.y, Absolute: p.absolute}
}

func (r *reader) scroll(id int32, p *pointer) effect.Action {
	if r.find(id, "x") == 0 && r.find(id, "y") == 0 {
		r.missing(id, "y")
	}
	return &effect.Scroll{X: p.x, Y: p.y}
}
