package keymap

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Codes of the kernel for the keys that a Layout always has.
const (
	codeReturn = 28
	codeShift  = 42
	codeAltGr  = 100
)

// A Stroke is a key, and what is held down with it.
type Stroke struct {
	Code    uint16 // the kernel's
	Shift   bool
	Level3  bool // with the layout's Level3 key
	Control bool // only Compose needs it, on some consoles
}

// A Layout says which keys type a character. It is not changed after it is made.
type Layout struct {
	Level3 uint16 // the key for the third level: AltGr, if the layout has any
	Lacks  string // why it has not a character that it has not; empty: it has no key for it

	strokes map[rune][]Stroke
	syms    map[rune]Sym // what such a stroke has, of one key alone
	codes   map[Sym]uint16
}

// Columns is the keymap of one layout, by what each key has on its levels: without and with Shift, and both
// with the third level's key. Codes are the kernel's.
func Columns(levels map[uint16][]Sym) *Keymap {
	k := &Keymap{Groups: []string{""}}
	for code, syms := range levels {
		k.keys = append(k.keys, key{code: code, groups: [][]Sym{syms}})
	}
	return k
}

// Layout inverts one layout of the keymap, from 0, as it is while Caps Lock is on or off. It
// uses the keys that a configuration can name: every keyboard has them, ours too.
func (k *Keymap) Layout(group int, caps bool) *Layout {
	l := &Layout{strokes: map[rune][]Stroke{}, syms: map[rune]Sym{}, codes: map[Sym]uint16{}}
	dead := map[Sym]Stroke{}
	cost := map[rune]int{}
	for i := range k.keys {
		key := &k.keys[i]
		if _, named := us[key.code]; !named {
			continue // no keyboard of ours has it
		}
		g := group % len(key.groups)
		syms := key.groups[g]
		if len(syms) == 0 {
			continue
		}
		if syms[0] == Level3 && (l.Level3 == 0 || key.code == codeAltGr) {
			l.Level3 = key.code
		}
		if code, ok := l.codes[syms[0]]; !ok || key.code < code {
			l.codes[syms[0]] = key.code
		}
		kind := k.typeOf(key, g)
		for how := range 4 { // the cheapest way first
			s := Stroke{Code: key.code, Shift: how&1 != 0, Level3: how&2 != 0}
			level, consumed := kind.level(s, caps)
			if level >= len(syms) {
				continue
			}
			sym := syms[level]
			r := sym.Rune()
			if caps && !consumed {
				r = unicode.ToUpper(r)
			}
			if _, ok := dead[sym]; !ok && sym >= deadGrave && sym <= deadTilde {
				dead[sym] = s
			}
			// Of several keys the one that needs fewest others, then the first of the keyboard.
			c := how<<16 | int(key.code)
			if old, ok := cost[r]; r != 0 && (!ok || c < old) {
				cost[r] = c
				l.strokes[r], l.syms[r] = []Stroke{s}, sym
			}
		}
	}
	// A dead key and the space bar type the accent alone, by every input method.
	space, ok := l.strokes[' ']
	for _, accent := range accents {
		s, has := dead[accent.dead]
		if _, typed := l.strokes[accent.char]; ok && has && !typed {
			l.strokes[accent.char] = []Stroke{s, space[0]}
		}
	}
	if l.Level3 == 0 {
		for r, s := range l.strokes {
			if slices.ContainsFunc(s, func(s Stroke) bool { return s.Level3 }) {
				delete(l.strokes, r)
				delete(l.syms, r)
			}
		}
	}
	return l
}

var accents = [...]struct {
	dead Sym
	char rune
}{{deadGrave, '`'}, {deadCircum, '^'}, {deadTilde, '~'}}

// Strokes are the keys to press, one after the other, for the character.
func (l *Layout) Strokes(r rune) ([]Stroke, bool) {
	if r == '\r' {
		r = '\n'
	}
	s, ok := l.strokes[r]
	return s, ok
}

// Sym is the keysym by which the layout has the character, of which there may be two. None: no key
// alone types it.
func (l *Layout) Sym(r rune) Sym {
	if r == '\r' {
		r = '\n'
	}
	return l.syms[r]
}

// Equal says whether both type the same by the same keys.
func (l *Layout) Equal(other *Layout) bool {
	return l.Level3 == other.Level3 && maps.Equal(l.syms, other.syms) && maps.Equal(l.codes, other.codes) &&
		maps.EqualFunc(l.strokes, other.strokes, slices.Equal[[]Stroke])
}

// Code is the key that has the keysym without any other key.
func (l *Layout) Code(s Sym) (uint16, bool) {
	c, ok := l.codes[s]
	return c, ok
}

// typeOf is the type of a key in a group. Where the keymap does not name it, the symbols say it,
// as the X Keyboard Extension has it.
func (k *Keymap) typeOf(key *key, group int) *keyType {
	if group < len(key.types) && key.types[group] != "" {
		if t, ok := k.types[key.types[group]]; ok {
			return t
		}
	}
	syms := key.groups[group]
	alphabetic := len(syms) >= 2 && isCased(syms[0], syms[1])
	switch {
	case len(syms) <= 1:
		return oneLevel
	case len(syms) == 2 && alphabetic:
		return alphabeticTwo
	case len(syms) == 2:
		return two
	case alphabetic && len(syms) >= 4 && isCased(syms[2], syms[3]):
		return alphabeticFour
	case alphabetic:
		return semialphabetic
	}
	return four
}

// The types that need no name. Modifiers that are joined stand in the order of the alphabet.
var (
	oneLevel       = &keyType{}
	two            = &keyType{of: []string{"Shift"}, levels: map[string]int{"Shift": 1}}
	alphabeticTwo  = &keyType{of: []string{"Shift", "Lock"}, levels: map[string]int{"Shift": 1, "Lock": 1}}
	four           = &keyType{of: []string{"Shift", "LevelThree"}, levels: map[string]int{"Shift": 1, "LevelThree": 2, "LevelThree+Shift": 3}}
	alphabeticFour = &keyType{of: []string{"Shift", "Lock", "LevelThree"}, levels: map[string]int{
		"Shift": 1, "Lock": 1, "LevelThree": 2, "LevelThree+Shift": 3, "LevelThree+Lock": 3, "LevelThree+Lock+Shift": 2,
	}}
	semialphabetic = &keyType{of: []string{"Shift", "Lock", "LevelThree"}, levels: map[string]int{
		"Shift": 1, "Lock": 1, "LevelThree": 2, "LevelThree+Shift": 3, "LevelThree+Lock": 2, "LevelThree+Lock+Shift": 3,
	}}
)

// level is the one that a stroke selects, and whether the type knows of Caps Lock.
func (t *keyType) level(s Stroke, caps bool) (level int, consumed bool) {
	var of []string
	for _, m := range t.of {
		switch {
		case m == "Shift" && s.Shift, m == "LevelThree" && s.Level3, m == "Lock" && caps:
			of = append(of, m)
		}
		consumed = consumed || m == "Lock"
	}
	return t.levels[joined(of)], consumed
}

func joined(modifiers []string) string {
	return strings.Join(slices.SortedFunc(slices.Values(modifiers), cmp.Compare[string]), "+")
}

func isCased(a, b Sym) bool {
	l, u := a.Rune(), b.Rune()
	return l != u && unicode.ToUpper(l) == u && unicode.IsLower(l)
}
