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
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/keymap"
	"github.com/amiable-dev/midimon/linux/wayland"
	"github.com/amiable-dev/midimon/linux/x11"
)

// layouts are what the compositor, the X server or the console has the user's keyboards type, for ways that
// press keys and do not say what they type.
type layouts struct {
	bus *bus.Bus

	display, authority string        // of the X server, where there is no compositor
	conn               *wayland.Conn // nil: there is no compositor
	seat               *wayland.Seat

	keymap *keymap.Keymap // of which places are
	places map[effect.Key]effect.Key
}

func openLayouts(ctx context.Context, w *world, desk *bus.Bus) (layouts, error) {
	l := layouts{bus: desk}
	if w.compositor == "" {
		l.display, l.authority = w.display, w.authority
		return l, nil
	}
	var err error
	if l.conn, err = wayland.Dial(ctx, w.compositor); err != nil {
		return l, err
	}
	l.seat, err = wayland.NewSeat(l.conn)
	for range 2 { // the seat says that it has a keyboard, and that its keymap
		if err == nil {
			err = l.conn.Sync(ctx)
		}
	}
	if err != nil {
		l.conn.Close()
	}
	return l, err
}

func (l *layouts) lost() <-chan struct{} {
	if l.conn == nil {
		return nil
	}
	return l.conn.Done()
}

func (l *layouts) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}

// place is where the layout has the character by which a key is named: ctrl+z is that on any
// layout. Of several layouts it is the first that has it, by which programs find shortcuts too.
func (l *layouts) place(key effect.Key, has func(effect.Key) bool) effect.Key {
	if l.seat == nil {
		return key
	}
	if k := l.seat.Keymap(); k != l.keymap {
		l.keymap, l.places = k, map[effect.Key]effect.Key{}
		var all []*keymap.Layout
		for group := range k.Groups {
			all = append(all, k.Layout(group, false))
		}
		for _, key := range effect.KeyCodes() {
			meant := keymap.Meant(uint16(key))
			if meant == keymap.None {
				continue
			}
			for _, one := range all {
				if code, ok := one.Code(meant); ok && has(effect.Key(code)) {
					l.places[key] = effect.Key(code)
					break
				}
			}
		}
	}
	if place, ok := l.places[key]; ok {
		return place
	}
	return key
}

// layout is the one that is used now.
func (l *layouts) layout(ctx context.Context) (*keymap.Layout, error) {
	all, err := l.possible(ctx)
	if err == nil && len(all) > 1 {
		err = fmt.Errorf("nothing says which of the layouts %s is chosen", strings.Join(l.seat.Keymap().Groups, ", "))
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// possible are the layouts of which the compositor uses one now; that one alone, if anything says it.
func (l *layouts) possible(ctx context.Context) ([]*keymap.Layout, error) {
	switch {
	case l.seat == nil && l.display != "":
		one, err := x11.Layout(ctx, l.display, l.authority)
		return []*keymap.Layout{one}, err
	case l.seat == nil:
		one, err := consoleLayout()
		return []*keymap.Layout{one}, err
	}
	k := l.seat.Keymap()
	if k == nil {
		return nil, errors.New("the compositor has told no keyboard's layout yet")
	}
	caps := capsLock(ledDir)
	if len(k.Groups) > 1 {
		if group, err := l.group(ctx); err == nil && group >= 0 && group < len(k.Groups) {
			return []*keymap.Layout{k.Layout(group, caps)}, nil
		}
	}
	var all []*keymap.Layout
	for group := range k.Groups {
		one := k.Layout(group, caps)
		if !slices.ContainsFunc(all, one.Equal) { // GNOME adds that of the language, which most have already
			all = append(all, one)
		}
	}
	return all, nil
}

// askWithin is how long a desktop may take to say which layout is chosen.
const askWithin = time.Second

// group is the layout that is chosen, where somebody says it.
func (l *layouts) group(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if l.bus == nil {
		return 0, bus.ErrAbsent
	}
	c, err := l.bus.Conn(ctx)
	if err != nil {
		return 0, err
	}
	var n uint32
	err = c.Object("org.kde.keyboard", "/Layouts").CallWithContext(ctx, "org.kde.KeyboardLayouts.getLayout", dbus.FlagNoAutoStart).Store(&n)
	if err == nil {
		return int(n), nil
	}
	return 0, onlyOne(ctx, c)
}

// onlyOne is nil where GNOME's user has no other layout than the first. GNOME does not say which of several is
// chosen, and behind those of the user it always has that of the language, which nobody can choose.
func onlyOne(ctx context.Context, c *dbus.Conn) error {
	var runs bool
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, "org.gnome.Shell").Store(&runs); err != nil {
		return err
	}
	if !runs {
		return errors.New("there is no GNOME")
	}
	var v dbus.Variant
	err := c.Object("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop").
		CallWithContext(ctx, "org.freedesktop.portal.Settings.Read", 0, "org.gnome.desktop.input-sources", "sources").Store(&v)
	if inner, ok := v.Value().(dbus.Variant); ok { // the portal wraps it twice
		v = inner
	}
	sources, ok := v.Value().([][]any)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("GNOME has the layouts %v, which are none", v)
	case len(sources) > 1:
		return fmt.Errorf("GNOME has %d layouts", len(sources))
	}
	return nil
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
