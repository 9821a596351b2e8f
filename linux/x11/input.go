//go:build linux

package x11

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/res"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"github.com/amiable-dev/midimon/linux/held"
	"github.com/amiable-dev/midimon/linux/keymap"
)

// answerWithin is how long a server may take for anything. One that takes longer has us lost.
const answerWithin = 5 * time.Second

// aButton is what the number of a button has above that of any keycode.
const aButton = 0x100

// buttons are X's by the kernel's code.
var buttons = map[uint16]byte{0x110: 1, 0x111: 3, 0x112: 2, 0x113: 8, 0x114: 9}

// The wheel is buttons.
const (
	wheelUp, wheelDown    = 4, 5
	wheelLeft, wheelRight = 6, 7
)

// Masks of what is down (X11's KeyButMask).
const (
	maskLock      = 2
	maskModifiers = 1 | 4 | 8 | 64 | 128 // Shift, Control, Alt, Super, AltGr; not Num Lock
	groupShift    = 13
)

var errGone = errors.New("the X server is gone")

// Input is XTEST's keyboard and mouse. Its owner serialises all calls.
type Input struct {
	c      *xgb.Conn
	socket net.Conn
	root   xproto.Window
	done   chan struct{}
	stale  atomic.Bool // the mapping has changed

	mapping *mapping
	two     bool // it has two layouts
	down    []uint16
	held    *held.File

	bound map[byte]rune // keycodes that we gave a character
	typed time.Time     // when they were used last
	read  uint32        // by which process, or 0
	more  time.Duration // how much it may still run until a text is typed regardless

	counts bool // the server tells whose process a window is
}

// Open connects to a display. What a midimon before left held down, as the file in dir says, is
// released. Dir is ours; empty, and nothing is kept.
func Open(ctx context.Context, display, authority, dir string) (*Input, error) {
	c, socket, err := dial(ctx, display, authority)
	if err != nil {
		return nil, err
	}
	in := &Input{c: c, socket: socket, root: xproto.Setup(c).DefaultScreen(c).Root, done: make(chan struct{}), bound: map[byte]rune{}}
	defer in.guard()()
	if err = check(c); err == nil {
		in.mapping, err = readMapping(c)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	in.looked()
	in.counts = res.Init(c) == nil
	go in.listen()
	var left []uint16
	if dir != "" {
		dir = filepath.Join(dir, "held")
	}
	in.held, left, err = held.Open(dir)
	for i := len(left) - 1; i >= 0; i-- {
		if left[i] >= 8 && left[i] < 2*aButton { // the keycodes there are, and the buttons
			in.fake(left[i], false)
		}
	}
	if len(left) > 0 {
		c.Sync()
		err = errors.Join(err, in.held.Write(nil))
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// guard gives the server so long for what follows.
func (in *Input) guard() (stop func()) {
	t := time.AfterFunc(answerWithin, func() { _ = in.socket.Close() })
	return func() { t.Stop() }
}

// listen hears of new mappings, and of the end.
func (in *Input) listen() {
	defer close(in.done)
	for {
		e, err := in.c.WaitForEvent()
		if e == nil && err == nil {
			return
		}
		if _, ok := e.(xproto.MappingNotifyEvent); ok {
			in.stale.Store(true)
		}
	}
}

// Done is closed when the server is gone.
func (in *Input) Done() <-chan struct{} { return in.done }

func (in *Input) gone() error {
	select {
	case <-in.done:
		return errGone
	default:
		return nil
	}
}

// looked takes in a mapping that was read.
func (in *Input) looked() {
	in.two = false
	for i := range in.mapping.codes() {
		s := in.mapping.at(i, 2)
		in.two = in.two || s != keymap.None && s != in.mapping.at(i, 0)
	}
}

// refresh reads the mapping if it has changed.
func (in *Input) refresh() error {
	if !in.stale.Swap(false) {
		return nil
	}
	m, err := readMapping(in.c)
	if err != nil {
		in.stale.Store(true)
		return in.lost(err)
	}
	in.mapping = m
	in.looked()
	return nil
}

func (in *Input) lost(err error) error {
	if gone := in.gone(); gone != nil {
		return gone
	}
	return err
}

// state is what modifiers are down, whether Caps Lock is on, and which layout is chosen.
func (in *Input) state() (mask uint16, group int, err error) {
	r, err := xproto.QueryPointer(in.c, in.root).Reply()
	if err != nil {
		return 0, 0, in.lost(err)
	}
	return r.Mask, int(r.Mask >> groupShift & 3), nil
}

// fake has the server act as if a key or button had gone down or come up.
func (in *Input) fake(code uint16, down bool) {
	kind := byte(xproto.KeyRelease)
	if down {
		kind = xproto.KeyPress
	}
	if code >= aButton {
		kind += xproto.ButtonPress - xproto.KeyPress
	}
	xtest.FakeInput(in.c, kind, byte(code), 0, in.root, 0, 0, 0)
}

// code is the keycode, or button, of a key by the kernel's code; 0 if there is none.
func (in *Input) code(key uint16) (uint16, error) {
	if b, ok := buttons[key]; ok {
		return aButton | uint16(b), nil
	}
	place := key + 8
	if key == 0 || place > math.MaxUint8 {
		return 0, nil
	}
	meant := keymap.Meant(key)
	if meant == keymap.None {
		return place, nil
	}
	if err := in.refresh(); err != nil {
		return 0, err
	}
	columns := []int{0, 2}
	if in.two {
		_, group, err := in.state()
		if err != nil {
			return 0, err
		}
		if group == 1 {
			columns = []int{2, 0}
		}
	}
	if i := int(place) - int(in.mapping.first); i >= 0 && i < in.mapping.codes() && in.mapping.at(i, columns[0]) == meant {
		return place, nil
	}
	if code := in.mapping.find(meant, columns...); code != 0 {
		return uint16(code), nil
	}
	return place, nil // the layout has no such character: the place, as a keyboard would
}

// Has says whether there is such a key or button.
func (in *Input) Has(key uint16) bool {
	return key != 0 && key+8 <= math.MaxUint8 || buttons[key] != 0
}

// Press presses a key or button by the kernel's code, and returns what is to be released. A key
// that has a character is where the layout has it.
func (in *Input) Press(key uint16) (code uint16, err error) {
	if code, err = in.code(key); err != nil {
		return 0, err
	}
	if code == 0 {
		return 0, fmt.Errorf("cannot press key %d: the X server has no such key", key)
	}
	in.down = append(in.down, code)
	if err := in.held.Write(in.down); err != nil {
		return 0, err
	}
	in.fake(code, true)
	return code, in.gone()
}

// Release releases what a Press returned.
func (in *Input) Release(code uint16) error {
	in.fake(code, false)
	in.down = slices.DeleteFunc(in.down, func(c uint16) bool { return c == code })
	return errors.Join(in.gone(), in.held.Write(in.down))
}

// MoveBy moves the mouse by so many pixels.
func (in *Input) MoveBy(x, y int32) error {
	xtest.FakeInput(in.c, xproto.MotionNotify, 1, 0, in.root, pixel(x), pixel(y), 0)
	return in.gone()
}

// MoveTo moves the mouse to a place on the screen, in pixels from its upper left corner.
func (in *Input) MoveTo(x, y int32) error {
	xtest.FakeInput(in.c, xproto.MotionNotify, 0, 0, in.root, pixel(x), pixel(y), 0)
	return in.gone()
}

func pixel(n int32) int16 { return int16(max(math.MinInt16, min(n, math.MaxInt16))) }

// Scroll turns the wheel by so many notches, down and right if positive.
func (in *Input) Scroll(x, y int32) error {
	turn := func(n int32, back, forth uint16) {
		button := aButton | forth
		if n < 0 {
			button, n = aButton|back, -n
		}
		for range n {
			in.fake(button, true)
			in.fake(button, false)
		}
	}
	turn(y, wheelUp, wheelDown)
	turn(x, wheelLeft, wheelRight)
	return in.gone()
}

// Close releases what is down, takes the characters from the keys that we gave them and ends the
// connection.
func (in *Input) Close() error {
	defer in.guard()()
	for i := len(in.down) - 1; i >= 0; i-- {
		in.fake(in.down[i], false)
	}
	for code := range in.bound {
		in.bind(code, keymap.None, keymap.None)
	}
	in.c.Sync()
	var err error
	if in.held != nil {
		if in.gone() == nil {
			err = in.held.Write(nil)
		}
		err = errors.Join(err, in.held.Close())
	}
	in.c.Close()
	return err
}
