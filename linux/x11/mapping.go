//go:build linux

package x11

import (
	"errors"
	"unicode"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"github.com/amiable-dev/midimon/linux/keymap"
)

var errUntold = errors.New("the X server does not tell a third or fourth layout")

// mapping is what the keycodes have, as the core protocol tells it: by keycode so many columns, of
// which 0 and 1 are the first layout's without and with Shift, 2 and 3 the second's, 4 and 5 the
// first's third level, 6 and 7 the second's.
type mapping struct {
	first byte
	per   int
	syms  []xproto.Keysym
}

func readMapping(c *xgb.Conn) (*mapping, error) {
	s := xproto.Setup(c)
	r, err := xproto.GetKeyboardMapping(c, s.MinKeycode, byte(s.MaxKeycode-s.MinKeycode+1)).Reply()
	if err != nil {
		return nil, err
	}
	return &mapping{first: byte(s.MinKeycode), per: int(r.KeysymsPerKeycode), syms: r.Keysyms}, nil
}

func (m *mapping) codes() int { return len(m.syms) / max(1, m.per) }

func (m *mapping) at(i, column int) keymap.Sym {
	if column >= m.per {
		return keymap.None
	}
	return keymap.Sym(m.syms[i*m.per+column])
}

// find is the first keycode that has the keysym in a column, or 0.
func (m *mapping) find(s keymap.Sym, columns ...int) byte {
	for _, column := range columns {
		for i := range m.codes() {
			if m.at(i, column) == s {
				return m.first + byte(i)
			}
		}
	}
	return 0
}

// spare are the keycodes that have nothing.
func (m *mapping) spare() []byte {
	var codes []byte
	for i := range m.codes() {
		empty := true
		for column := range m.per {
			empty = empty && m.at(i, column) == keymap.None
		}
		if empty {
			codes = append(codes, m.first+byte(i))
		}
	}
	return codes
}

// stroke is a keycode, and what is held down with it.
type stroke struct {
	code          byte
	shift, level3 bool
	letter        bool // Caps Lock does what Shift does
}

// strokes are how to type characters in one layout, from 0, without changing the mapping.
func (m *mapping) strokes(group int) map[rune]stroke {
	all := map[rune]stroke{}
	columns := []int{0, 1, 4, 5}
	switch {
	case group == 1:
		columns = []int{2, 3, 6, 7}
	case group > 1:
		return all // the core protocol does not say
	}
	if m.level3() == 0 {
		columns = columns[:2]
	}
	for level, column := range columns {
		for i := range m.codes() {
			sym := m.at(i, column)
			r := sym.Rune()
			if _, ok := all[r]; r == 0 || ok {
				continue
			}
			lower, upper := m.at(i, columns[0]).Rune(), m.at(i, columns[1]).Rune()
			all[r] = stroke{
				code: m.first + byte(i), shift: level&1 != 0, level3: level&2 != 0,
				letter: level < 2 && lower != upper && unicode.ToUpper(lower) == upper,
			}
		}
	}
	return all
}

// level3 is the keycode of the third level's key, or 0. A layout without one still has it on a key
// that no keyboard has, and types nothing by it.
func (m *mapping) level3() byte { return m.find(keymap.Level3, 0) }
