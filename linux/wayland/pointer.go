//go:build linux

package wayland

import (
	"context"
	"errors"
	"time"
)

const (
	virtualPointerInterface = "zwlr_virtual_pointer_manager_v1"

	managerCreatePointer = 0

	pointerMotion         = 0
	pointerMotionAbsolute = 1
	pointerButton         = 2
	pointerAxis           = 3
	pointerFrame          = 4
	pointerAxisSource     = 5
	pointerAxisDiscrete   = 7
	pointerDestroy        = 8

	axisVertical, axisHorizontal = 0, 1

	sourceWheel = 0

	// notch is how far one notch of a wheel scrolls: libinput's 15 degrees.
	notch = 15
)

// A Pointer is a virtual mouse. Its owner serialises all calls.
type Pointer struct {
	conn    *Conn
	id      uint32
	started time.Time
	screen  *Screen
	down    map[uint16]bool
	buf     []byte
}

// NewPointer makes a mouse on the compositor's first seat.
func NewPointer(ctx context.Context, c *Conn, s *Screen) (*Pointer, error) {
	manager, ok := c.Find(virtualPointerInterface)
	if !ok {
		return nil, errors.New("the compositor lacks " + virtualPointerInterface)
	}
	seat, ok := c.Find(seatInterface)
	if !ok {
		return nil, errors.New("the compositor has no seat")
	}
	seatID, err := c.Bind(seat, 1, nil)
	if err != nil {
		return nil, err
	}
	managerID, err := c.Bind(manager, 1, nil)
	if err != nil {
		return nil, err
	}
	p := &Pointer{conn: c, started: time.Now(), screen: s, down: map[uint16]bool{}}
	p.id, err = c.Create(nil, func(id uint32) []byte { return Append(nil, managerID, managerCreatePointer, seatID, id) })
	if err != nil {
		return nil, err
	}
	return p, c.Sync(ctx)
}

func (p *Pointer) now() uint32 { return uint32(time.Since(p.started).Milliseconds()) }

// frame ends what happens at once, and sends it.
func (p *Pointer) frame(b []byte) error {
	p.buf = Append(b, p.id, pointerFrame)
	return p.conn.Send(p.buf)
}

// Press presses a button by the kernel's code.
func (p *Pointer) Press(code uint16) error { return p.button(code, true) }

// Release releases a button.
func (p *Pointer) Release(code uint16) error { return p.button(code, false) }

func (p *Pointer) button(code uint16, down bool) error {
	state := uint32(0)
	if down {
		state = 1
	}
	p.down[code] = down
	return p.frame(Append(p.buf[:0], p.id, pointerButton, p.now(), uint32(code), state))
}

// MoveBy moves the mouse by so many pixels.
func (p *Pointer) MoveBy(x, y int32) error {
	return p.frame(Append(p.buf[:0], p.id, pointerMotion, p.now(), Fixed(x), Fixed(y)))
}

// MoveTo moves the mouse to a place on the screen, in pixels from its upper left corner.
func (p *Pointer) MoveTo(x, y int32) error {
	width, height := p.screen.Size()
	if width <= 0 || height <= 0 {
		return errors.New("cannot move the mouse to a place: the compositor says of no output how large it is")
	}
	x, y = max(0, min(x, width-1)), max(0, min(y, height-1))
	return p.frame(Append(p.buf[:0], p.id, pointerMotionAbsolute, p.now(), uint32(x), uint32(y), uint32(width), uint32(height)))
}

// Scroll turns the wheel by so many notches, down and right if positive.
func (p *Pointer) Scroll(x, y int32) error {
	b := p.buf[:0]
	for axis, n := range []int32{axisVertical: y, axisHorizontal: x} {
		if n != 0 {
			b = Append(b, p.id, pointerAxisSource, sourceWheel)
			b = Append(b, p.id, pointerAxisDiscrete, p.now(), uint32(axis), Fixed(n*notch), uint32(n))
		}
	}
	if len(b) == 0 {
		return nil
	}
	return p.frame(b)
}

// Close releases what is down and removes the mouse.
func (p *Pointer) Close() error {
	var errs []error
	for code, down := range p.down {
		if down {
			errs = append(errs, p.Release(code))
		}
	}
	return errors.Join(append(errs, p.conn.Send(Append(nil, p.id, pointerDestroy)))...)
}
