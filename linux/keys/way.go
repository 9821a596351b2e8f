//go:build linux

package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/uinput"
	"github.com/amiable-dev/midimon/linux/wayland"
	"github.com/amiable-dev/midimon/linux/x11"
)

// way is one way to press, type and point, open. Keys and buttons are the kernel's codes.
type way interface {
	has(key effect.Key) bool
	press(key effect.Key) error
	release(key effect.Key) error
	typeText(ctx context.Context, text string) error
	moveBy(x, y int32) error
	moveTo(x, y int32) error
	scroll(x, y int32) error
	// lost is closed when it is gone; nil: a failure says so.
	lost() <-chan struct{}
	// close releases all that it holds.
	close() error
}

// errMissing is the error of what a way has no means for.
var errMissing = errors.New("not by this way")

// errNoPlaces is what the kernel's mouse lacks.
var errNoPlaces = errors.New("cannot move the mouse to a place: the kernel's mouse knows distances only; " +
	"where the desktop has a portal for remote control, backend = \"portal\" in [input] moves it to places")

// waylandWay is the virtual keyboard and mouse of a compositor.
type waylandWay struct {
	conn     *wayland.Conn
	keyboard *wayland.Keyboard
	pointer  *wayland.Pointer // nil: the compositor has none
}

func openWayland(ctx context.Context, w *world) (way, error) {
	c, err := wayland.Dial(ctx, w.compositor)
	if err != nil {
		return nil, err
	}
	o := &waylandWay{conn: c}
	o.keyboard, err = wayland.NewKeyboard(ctx, c)
	if err == nil && w.pointer {
		var screen *wayland.Screen
		if screen, err = wayland.NewScreen(c); err == nil {
			o.pointer, err = wayland.NewPointer(ctx, c, screen)
		}
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return o, nil
}

func isButton(key effect.Key) bool { return key >= 0x110 && key < 0x120 }

func (o *waylandWay) has(key effect.Key) bool {
	if isButton(key) {
		return o.pointer != nil
	}
	return o.keyboard.Has(uint16(key))
}

func (o *waylandWay) press(key effect.Key) error {
	if isButton(key) {
		return o.pointer.Press(uint16(key))
	}
	return o.keyboard.Press(uint16(key))
}

func (o *waylandWay) release(key effect.Key) error {
	if isButton(key) {
		return o.pointer.Release(uint16(key))
	}
	return o.keyboard.Release(uint16(key))
}

func (o *waylandWay) typeText(ctx context.Context, text string) error {
	return o.keyboard.Type(ctx, text)
}
func (o *waylandWay) moveBy(x, y int32) error { return o.pointer.MoveBy(x, y) }
func (o *waylandWay) moveTo(x, y int32) error { return o.pointer.MoveTo(x, y) }
func (o *waylandWay) scroll(x, y int32) error { return o.pointer.Scroll(x, y) }
func (o *waylandWay) lost() <-chan struct{}   { return o.conn.Done() }

func (o *waylandWay) close() error {
	select {
	case <-o.conn.Done():
		return nil // the compositor has let go of everything
	default:
	}
	err := o.keyboard.Close()
	if o.pointer != nil {
		err = errors.Join(err, o.pointer.Close())
	}
	err = errors.Join(err, o.conn.Sync(context.Background()))
	o.conn.Close()
	return err
}

// xtestWay is XTEST.
type xtestWay struct {
	in   *x11.Input
	down map[effect.Key]uint16 // what is to be released
}

func openXTest(ctx context.Context, w *world, dir string) (way, error) {
	in, err := x11.Open(ctx, w.display, w.authority, dir)
	if err != nil {
		return nil, err
	}
	return &xtestWay{in, map[effect.Key]uint16{}}, nil
}

func (o *xtestWay) has(key effect.Key) bool { return o.in.Has(uint16(key)) }

func (o *xtestWay) press(key effect.Key) error {
	code, err := o.in.Press(uint16(key))
	if err == nil {
		o.down[key] = code
	}
	return err
}

func (o *xtestWay) release(key effect.Key) error {
	code, ok := o.down[key]
	if !ok {
		return nil
	}
	delete(o.down, key)
	return o.in.Release(code)
}

func (o *xtestWay) typeText(ctx context.Context, text string) error { return o.in.Type(ctx, text) }
func (o *xtestWay) moveBy(x, y int32) error                         { return o.in.MoveBy(x, y) }
func (o *xtestWay) moveTo(x, y int32) error                         { return o.in.MoveTo(x, y) }
func (o *xtestWay) scroll(x, y int32) error                         { return o.in.Scroll(x, y) }
func (o *xtestWay) lost() <-chan struct{}                           { return o.in.Done() }
func (o *xtestWay) close() error                                    { return o.in.Close() }

// uinputWay is the kernel's device. What its keys type the compositor decides, which tells us.
type uinputWay struct {
	keys *uinput.Keys
	layouts
	down map[effect.Key]effect.Key // what is to be released
}

func openUinput(ctx context.Context, w *world, desk *bus.Bus) (way, error) {
	o := &uinputWay{keys: &uinput.Keys{}, down: map[effect.Key]effect.Key{}}
	err := o.keys.Open(ctx)
	if err != nil {
		return nil, err
	}
	if o.layouts, err = openLayouts(ctx, w, desk); err != nil {
		return nil, errors.Join(err, o.keys.Close())
	}
	return o, nil
}

func (o *uinputWay) has(key effect.Key) bool { return o.keys.Has(key) }

func (o *uinputWay) press(key effect.Key) error {
	place := o.place(key, o.keys.Has)
	o.down[key] = place
	return o.keys.Key(place, true)
}

func (o *uinputWay) release(key effect.Key) error {
	place, ok := o.down[key]
	if !ok {
		return nil
	}
	delete(o.down, key)
	return o.keys.Key(place, false)
}

func (o *uinputWay) moveBy(x, y int32) error { return o.keys.MoveBy(x, y) }
func (o *uinputWay) scroll(x, y int32) error { return o.keys.Scroll(x, y) }

func (o *uinputWay) moveTo(int32, int32) error {
	return errNoPlaces
}

func (o *uinputWay) typeText(ctx context.Context, text string) error {
	l, err := o.layout(ctx)
	if err != nil {
		return fmt.Errorf("cannot type: %w", err)
	}
	return o.keys.Type(text, l)
}

func (o *uinputWay) close() error {
	o.layouts.close()
	return o.keys.Close()
}
