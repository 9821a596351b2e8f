//go:build linux

package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/keymap"
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
	bus  *bus.Bus
	conn *wayland.Conn // nil: there is no compositor
	seat *wayland.Seat

	keymap *keymap.Keymap // of which places are
	places map[effect.Key]effect.Key
	down   map[effect.Key]effect.Key // what is to be released
}

func openUinput(ctx context.Context, w *world, desk *bus.Bus) (way, error) {
	o := &uinputWay{keys: &uinput.Keys{}, bus: desk, down: map[effect.Key]effect.Key{}}
	if err := o.keys.Open(ctx); err != nil {
		return nil, err
	}
	if w.compositor == "" {
		return o, nil
	}
	var err error
	if o.conn, err = wayland.Dial(ctx, w.compositor); err == nil {
		o.seat, err = wayland.NewSeat(o.conn)
	}
	if err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (o *uinputWay) has(key effect.Key) bool { return o.keys.Has(key) }

func (o *uinputWay) press(key effect.Key) error {
	place := o.place(key)
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

// place is where the layout has the character by which a key is named: ctrl+z is that on any
// layout. Of several layouts it is the first that has it, by which programs find shortcuts too.
func (o *uinputWay) place(key effect.Key) effect.Key {
	if o.seat == nil {
		return key
	}
	if k := o.seat.Keymap(); k != o.keymap {
		o.keymap, o.places = k, map[effect.Key]effect.Key{}
		var layouts []*keymap.Layout
		for group := range k.Groups {
			layouts = append(layouts, k.Layout(group, false))
		}
		for _, key := range effect.KeyCodes() {
			for _, l := range layouts {
				if code, ok := l.Code(keymap.Meant(uint16(key))); ok && keymap.Meant(uint16(key)) != keymap.None && o.keys.Has(effect.Key(code)) {
					o.places[key] = effect.Key(code)
					break
				}
			}
		}
	}
	if place, ok := o.places[key]; ok {
		return place
	}
	return key
}

func (o *uinputWay) moveBy(x, y int32) error { return o.keys.MoveBy(x, y) }
func (o *uinputWay) scroll(x, y int32) error { return o.keys.Scroll(x, y) }

func (o *uinputWay) moveTo(int32, int32) error {
	return fmt.Errorf("cannot move the mouse to a place: %w (uinput)", errMissing)
}

func (o *uinputWay) typeText(ctx context.Context, text string) error {
	l, err := o.layout(ctx)
	if err != nil {
		return fmt.Errorf("cannot type: %w", err)
	}
	return o.keys.Type(text, l)
}

func (o *uinputWay) lost() <-chan struct{} {
	if o.conn == nil {
		return nil
	}
	return o.conn.Done()
}

func (o *uinputWay) close() error {
	if o.conn != nil {
		o.conn.Close()
	}
	return o.keys.Close()
}

// layout is the one that the compositor uses now.
func (o *uinputWay) layout(ctx context.Context) (*keymap.Layout, error) {
	if o.seat == nil {
		return nil, errors.New("no compositor says what the keyboard's layout is")
	}
	k := o.seat.Keymap()
	if k == nil {
		return nil, errors.New("the compositor has told no keyboard's layout yet")
	}
	group := 0
	if len(k.Groups) > 1 {
		var err error
		if group, err = o.group(ctx); err != nil || group >= len(k.Groups) {
			return nil, fmt.Errorf("nothing says which of the layouts %s is chosen", strings.Join(k.Groups, ", "))
		}
	}
	return k.Layout(group, capsLock(ledDir)), nil
}

// group asks Plasma, the only one that says it to everybody.
func (o *uinputWay) group(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	c, err := o.bus.Conn(ctx)
	if err != nil {
		return 0, err
	}
	var n uint32
	err = c.Object("org.kde.keyboard", "/Layouts").CallWithContext(ctx, "org.kde.KeyboardLayouts.getLayout", dbus.FlagNoAutoStart).Store(&n)
	return int(n), err
}

const ledDir = "/sys/class/leds"

// capsLock says whether the lamp of Caps Lock is lit on any keyboard.
func capsLock(dir string) bool {
	lamps, _ := filepath.Glob(filepath.Join(dir, "*::capslock", "brightness"))
	return slices.ContainsFunc(lamps, func(path string) bool {
		b, err := os.ReadFile(path)
		return err == nil && strings.TrimSpace(string(b)) != "0"
	})
}
