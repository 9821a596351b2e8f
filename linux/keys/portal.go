//go:build linux

package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/keymap"
	"github.com/amiable-dev/midimon/linux/portal"
)

// portalWay is the desktop's portal. What keys type is the compositor's business, which tells us; of a
// character that it cannot type it says nothing.
type portalWay struct {
	portal *portal.Portal
	layouts
	down   map[effect.Key]effect.Key
	gone   chan struct{}
	closed chan struct{}
}

func openPortal(ctx context.Context, w *world, p *portal.Portal, desk *bus.Bus) (way, error) {
	l, err := openLayouts(ctx, w, desk)
	if err != nil {
		return nil, err
	}
	// Whatever else prevents that is met again by who presses first: here it would be tried again and again, and
	// the user asked as often.
	if err := p.Recover(ctx); errors.Is(err, portal.ErrRefused) {
		l.close()
		return nil, err
	}
	o := &portalWay{p, l, map[effect.Key]effect.Key{}, make(chan struct{}), make(chan struct{})}
	over := p.Over()
	go func() {
		select {
		case <-over:
		case <-l.lost():
		case <-o.closed:
		}
		close(o.gone)
	}()
	return o, nil
}

func (o *portalWay) lost() <-chan struct{} { return o.gone }

func (o *portalWay) has(key effect.Key) bool { return key != 0 }

func (o *portalWay) press(key effect.Key) error {
	place := key
	if !isButton(key) {
		place = o.place(key, func(effect.Key) bool { return true })
	}
	if err := o.do(place, true); err != nil {
		return err
	}
	o.down[key] = place
	return nil
}

func (o *portalWay) release(key effect.Key) error {
	place, ok := o.down[key]
	if !ok {
		return nil
	}
	delete(o.down, key)
	return o.do(place, false)
}

func (o *portalWay) do(key effect.Key, down bool) error {
	return o.portal.Key(context.Background(), uint16(key), down)
}

func (o *portalWay) typeText(ctx context.Context, text string) error {
	all, err := o.possible(ctx)
	if err != nil {
		return fmt.Errorf("cannot type: %w", err)
	}
	var strikes [][]strike
	for _, r := range text {
		one := byKeys(all[0], r)
		if len(all) > 1 {
			one = bySym(all, r)
		}
		if one == nil {
			return &keymap.Untypable{Rune: r, Why: "the keyboard's layout has no key for it"}
		}
		strikes = append(strikes, one...)
	}
	for _, s := range strikes {
		var errs []error
		down := 0
		for ; down < len(s) && errs == nil; down++ {
			if err := s[down](ctx, o.portal, true); err != nil {
				errs = append(errs, err)
			}
		}
		for down--; down >= 0; down-- { // the one that failed may be down as well
			if err := s[down](context.Background(), o.portal, false); err != nil {
				errs = append(errs, err)
			}
		}
		if errs != nil {
			return errors.Join(errs...)
		}
	}
	return nil
}

// strike presses or releases one key.
type strike func(ctx context.Context, p *portal.Portal, down bool) error

// byKeys types a character of the layout that is chosen: by keys, which have all levels. Desktops look
// for a keysym in the first two only, and do not ask for Caps Lock.
func byKeys(l *keymap.Layout, r rune) (all [][]strike) {
	key := func(code uint16) strike {
		return func(ctx context.Context, p *portal.Portal, down bool) error { return p.Key(ctx, code, down) }
	}
	strokes, _ := l.Strokes(r)
	for _, s := range strokes {
		var one []strike
		if s.Shift {
			one = append(one, key(codeShift))
		}
		if s.Level3 {
			one = append(one, key(l.Level3))
		}
		all = append(all, append(one, key(s.Code)))
	}
	return all
}

const codeShift = 42

// bySym types a character that is on all layouts, of which nobody says which is chosen.
func bySym(all []*keymap.Layout, r rune) [][]strike {
	sym := all[0].Sym(r)
	for _, l := range all {
		if s, _ := l.Strokes(r); len(s) != 1 || s[0].Level3 || l.Sym(r) != sym {
			return nil
		}
	}
	return [][]strike{{func(ctx context.Context, p *portal.Portal, down bool) error { return p.Sym(ctx, uint32(sym), down) }}}
}

func (o *portalWay) moveBy(x, y int32) error { return o.portal.MoveBy(context.Background(), x, y) }
func (o *portalWay) scroll(x, y int32) error { return o.portal.Scroll(context.Background(), x, y) }
func (o *portalWay) moveTo(x, y int32) error { return o.portal.MoveTo(context.Background(), x, y) }

// close releases all; the session stays, or the user would be asked again.
func (o *portalWay) close() error {
	var errs []error
	for key := range o.down {
		errs = append(errs, o.release(key))
	}
	close(o.closed)
	o.layouts.close()
	return errors.Join(errs...)
}
