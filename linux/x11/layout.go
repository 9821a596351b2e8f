//go:build linux

package x11

import (
	"context"
	"time"

	"github.com/jezek/xgb/xproto"

	"github.com/amiable-dev/midimon/linux/keymap"
)

// Layout is the one that is chosen on a display now, for those who press the kernel's keys.
func Layout(ctx context.Context, display, authority string) (*keymap.Layout, error) {
	c, socket, err := dial(ctx, display, authority)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := time.AfterFunc(greetWithin, func() { _ = socket.Close() })
	defer stop.Stop()
	m, err := readMapping(c)
	if err != nil {
		return nil, err
	}
	state, err := xproto.QueryPointer(c, xproto.Setup(c).DefaultScreen(c).Root).Reply()
	if err != nil {
		return nil, err
	}
	return m.layout(int(state.Mask>>groupShift&3), state.Mask&maskLock != 0)
}

// layout is one layout, from 0, of those that the core protocol tells.
func (m *mapping) layout(group int, caps bool) (*keymap.Layout, error) {
	if group > 1 {
		return nil, errUntold
	}
	columns := [...]int{2 * group, 2*group + 1, 2*group + 4, 2*group + 5}
	levels := map[uint16][]keymap.Sym{}
	for i := range m.codes() {
		syms := make([]keymap.Sym, len(columns))
		for level, column := range columns {
			syms[level] = m.at(i, column)
		}
		for len(syms) > 0 && syms[len(syms)-1] == keymap.None {
			syms = syms[:len(syms)-1]
		}
		if code := int(m.first) + i - 8; code > 0 && len(syms) > 0 {
			levels[uint16(code)] = syms
		}
	}
	return keymap.Columns(levels).Layout(0, caps), nil
}
