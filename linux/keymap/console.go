package keymap

import "slices"

// Console is what the kernel's own keyboard types on a console without a desktop: the keymap that
// loadkeys(1) loads. Names and values are those of linux/keyboard.h and linux/kd.h.
type Console struct {
	// Keys are what KDGKBENT says of each key, by the code of the kernel, in each table: the plain one, with
	// Shift, with AltGr, with both, and with Control. What is locked is in them: of plain keys while
	// AltGr is locked, it is AltGr's table that comes first.
	Keys    [ConsoleTables][ConsoleKeys]uint16
	Screen  [256]uint16 // what GIO_UNISCRNMAP makes of characters of 8 bits
	Accents []Accent
	Caps    bool // KDGKBLED has the flag of Caps Lock
	Unicode bool // KDGKBMODE is K_UNICODE: what is read there is UTF-8
}

// Accent is what two characters become after a dead key or Compose (struct kbdiacruc).
type Accent struct{ Diacr, Base, Result rune }

// ConsoleTables and ConsoleKeys are how much of a keymap types.
const (
	ConsoleTables = 5
	ConsoleKeys   = 128
)

// The kinds of entries: what is above the low byte, which is the value.
const (
	ktLatin  = 0
	ktSpec   = 2
	ktDead   = 4
	ktShift  = 7
	ktLetter = 11
	ktDead2  = 13
	ktRune   = 16 // not the kernel's number: all above are characters, with the topmost bits inverted

	kEnter     = ktSpec<<8 | 1
	kCompose   = ktSpec<<8 | 14
	kNoSuchMap = ktSpec<<8 | 127 // of key 0: there is no such table
)

const (
	codeBackspace = 14
	codeControl   = 29

	// The modifiers, and the bits of the tables.
	kgShift, kgAltGr, kgControl = 0, 1, 2
)

// deadChars are the accents of dead keys, by the value of their entries.
const deadChars = "`'^~\",_U.*=cki#o!?+-)(:n;$@"

// entry is what a key does in a table without Control, and the character of it.
func (c *Console) entry(table, code int) (kind uint16, char rune) {
	v := c.Keys[table][code]
	if v>>8 >= ktRune {
		return ktRune, rune(v ^ 0xf000)
	}
	kind = v >> 8
	if kind == ktLetter {
		if c.Caps && c.has(table^1) {
			v = c.Keys[table^1][code]
		}
		kind = ktLatin
	}
	switch v &= 0xff; kind {
	case ktLatin:
		if u := c.Screen[v]; u != 0xf000|v {
			return kind, rune(u)
		}
	case ktDead:
		if int(v) >= len(deadChars) {
			return kind, 0
		}
		return kind, rune(deadChars[v])
	}
	return kind, rune(v)
}

// has says whether there is such a table.
func (c *Console) has(table int) bool { return c.Keys[table][0] != kNoSuchMap }

// holds says whether a key is that modifier, whatever else is held.
func (c *Console) holds(code, modifier int, tables ...int) bool {
	for _, table := range tables {
		if c.has(table) && c.Keys[table][code] != ktShift<<8|uint16(modifier) {
			return false
		}
	}
	return true
}

// Layout inverts the keymap. It uses the keys that a configuration can name: every keyboard has them,
// ours too.
func (c *Console) Layout() *Layout {
	l := &Layout{strokes: map[rune][]Stroke{}, Lacks: "the console's keymap has no key for it"}
	for code := range ConsoleKeys {
		if _, named := us[uint16(code)]; named && c.holds(code, kgAltGr, 0, 1, 2, 3) && (l.Level3 == 0 || code == codeAltGr) {
			l.Level3 = uint16(code)
		}
	}
	held := [...]bool{kgShift: c.holds(codeShift, kgShift, 0, 1, 2, 3), kgAltGr: l.Level3 != 0, kgControl: c.holds(codeControl, kgControl, 0, 4)}
	var compose []Stroke
	dead, bases := map[rune]Stroke{}, map[rune]Stroke{}
	for table := range c.Keys { // the cheapest first
		s := Stroke{Shift: table>>kgShift&1 != 0, Level3: table>>kgAltGr&1 != 0, Control: table>>kgControl&1 != 0}
		if s.Shift && !held[kgShift] || s.Level3 && !held[kgAltGr] || s.Control && !held[kgControl] {
			continue
		}
		if !c.has(0) || !c.has(table) || s.Shift && !c.has(1<<kgShift) { // it is pressed by way of these
			continue
		}
		for code := range ConsoleKeys {
			if _, named := us[uint16(code)]; !named {
				continue
			}
			s.Code = uint16(code)
			if c.Keys[table][code] == kCompose && compose == nil {
				compose = []Stroke{s}
			}
			if s.Control { // it types no characters
				continue
			}
			switch kind, char := c.entry(table, code); {
			case c.Keys[table][code] == kEnter:
				l.add('\n', s)
			case kind == ktDead || kind == ktDead2:
				keep(dead, char, s)
			case kind == ktRune:
				l.add(char, s)
			case kind == ktLatin:
				l.add(char, s)
				keep(bases, char, s) // only these are combined, by every kernel
				if s == (Stroke{Code: codeBackspace}) && (char == '\b' || char == 0x7f) {
					l.strokes['\b'] = []Stroke{s}
				}
			}
		}
	}
	c.combine(l, compose, dead, bases)
	if !c.Unicode {
		l.Lacks = "the console is not in Unicode mode, and has only ASCII then (kbd_mode -u)"
		for r := range l.strokes {
			if r >= 0x80 {
				delete(l.strokes, r)
			}
		}
	}
	return l
}

// combine adds what dead keys type with others, and what Compose makes of two.
func (c *Console) combine(l *Layout, compose []Stroke, dead, bases map[rune]Stroke) {
	seen := map[[2]rune]bool{}
	for _, a := range c.Accents {
		pair := [2]rune{a.Diacr, a.Base}
		base, typed := bases[a.Base]
		if seen[pair] || !typed { // of two the kernel takes the first
			continue
		}
		seen[pair] = true
		if d, ok := dead[a.Diacr]; ok {
			l.add(a.Result, d, base)
		}
		if d, ok := bases[a.Diacr]; ok && compose != nil {
			l.add(a.Result, compose[0], d, base)
		}
	}
	if space, ok := bases[' ']; ok {
		for char, d := range dead {
			if !seen[[2]rune{char, ' '}] {
				l.add(char, d, space)
			}
		}
	}
}

// add has a character typed so, unless it is a control character or typed already.
func (l *Layout) add(char rune, strokes ...Stroke) {
	if char == '\r' {
		char = '\n'
	}
	if _, typed := l.strokes[char]; !typed && (char >= ' ' && char != 0x7f || char == '\n' || char == '\t') {
		l.strokes[char] = slices.Clone(strokes)
	}
}

func keep(m map[rune]Stroke, char rune, s Stroke) {
	if _, ok := m[char]; !ok && char != 0 { // 0 is no accent for the kernel
		m[char] = s
	}
}
