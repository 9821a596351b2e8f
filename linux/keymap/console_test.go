package keymap

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Entries as loadkeys(1) makes them.
const (
	hole  = ktSpec << 8
	shift = ktShift<<8 | kgShift
	altGr = ktShift<<8 | kgAltGr
	ctrl  = ktShift<<8 | kgControl
)

func letter(r rune) uint16 { return ktLetter<<8 | uint16(r) }
func wide(r rune) uint16   { return uint16(r) ^ 0xf000 }

// german has some keys of a German console, as loadkeys has them there.
func german() *Console {
	c := &Console{Unicode: true, Accents: []Accent{
		{'\'', 'e', 'é'}, {'\'', 'e', 'x'}, {'^', 'a', 'â'}, {'o', 'a', 'å'}, {'"', 'ż', 'x'},
	}}
	for table := range c.Keys {
		for code := range c.Keys[table] {
			c.Keys[table][code] = hole
		}
		c.Keys[table][codeShift], c.Keys[table][codeAltGr], c.Keys[table][codeControl] = shift, altGr, ctrl
		c.Keys[table][28], c.Keys[table][14], c.Keys[table][57], c.Keys[table][15] = kEnter, 0x7f, ' ', '\t'
	}
	for i := range c.Screen {
		c.Screen[i] = 0xf000 | uint16(i)
	}
	for code, levels := range map[int][]uint16{
		2: {'1', '!'}, 13: {ktDead<<8 | 1, ktDead << 8}, 41: {ktDead<<8 | 2, wide('°')}, 16: {letter('q'), letter('Q'), '@'},
		18: {letter('e'), letter('E'), wide('€')}, 21: {letter('z'), letter('Z')}, 44: {letter('y'), letter('Y')}, 24: {letter('o'), letter('O')},
		30: {letter('a'), letter('A')}, 39: {wide('ö'), wide('Ö')}, 50: {letter('m'), letter('M'), wide('µ')}, 55: {'*'},
		86: {'<', '>', '|', wide('¦')}, 120: {'?'}, 12: {wide('ß'), '?', '\\'}, 1: {27, 27}, 52: {'.', ':', hole, hole, kCompose},
		40: {ktDead2<<8 | '"', wide('ż')}, 31: {hole, hole, hole, hole, 's'},
	} {
		for table, v := range levels {
			c.Keys[table][code] = v
		}
	}
	return c
}

func TestConsoleLayout(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Console)
		want   map[rune]string // empty: no keys
	}{
		"german": {func(*Console) {}, map[rune]string{
			'z': "21", 'Y': "S44", '@': "A16", '€': "A18", 'ß': "12", '°': "S41", '¦': "SA86", '?': "S12", // and not 120, which we have not
			'\n': "28", '\t': "15", '\b': "14", ' ': "57", '*': "55", '\x1b': "", 'é': "13 18", '^': "41 57", '`': "S13 57", '\'': "13 57",
			'"': "40 57", 'â': "41 30", 'å': "C52 24 30", 'x': "", 'ż': "S40", 'λ': "", 'F': "", 's': "",
		}},
		"caps lock": {func(c *Console) { c.Caps = true }, map[rune]string{
			'z': "S21", 'Y': "44", '@': "A16", 'ö': "39", '1': "2", '?': "S12", 'é': "13 S18", 'å': "C52 S24 S30",
		}},
		"not Unicode":       {func(c *Console) { c.Unicode = false }, map[rune]string{'z': "21", 'ß': "", 'é': "", '^': "41 57"}},
		"a table of 8 bits": {func(c *Console) { c.Screen['o'] = 'ő' }, map[rune]string{'ő': "24", 'o': "", 'å': ""}},
		"no AltGr": {func(c *Console) {
			c.Keys[1][codeAltGr] = hole // it would stay down
		}, map[rune]string{'@': "", 'z': "21", 'Y': "S44"}},
		"no table for AltGr and Shift": {func(c *Console) {
			for code := range c.Keys[3] {
				c.Keys[3][code] = hole
			}
			c.Keys[3][0] = kNoSuchMap
			c.Keys[2][16] = letter('@')
			c.Caps = true
		}, map[rune]string{'@': "A16", '¦': "", 'Z': "21"}},
		"no table for Shift": {func(c *Console) {
			for code := range c.Keys[1] {
				c.Keys[1][code] = hole
			}
			c.Keys[1][0] = kNoSuchMap // AltGr after Shift is looked up in it
		}, map[rune]string{'@': "A16", '¦': "", 'z': "21", 'Z': ""}},
		"AltGr elsewhere": {func(c *Console) {
			for table := range c.Keys {
				c.Keys[table][codeAltGr], c.Keys[table][56] = hole, altGr
			}
		}, map[rune]string{'@': "A16"}},
		"AltGr twice": {func(c *Console) {
			for table := range c.Keys {
				c.Keys[table][56] = altGr
			}
		}, map[rune]string{'@': "A16"}},
		"Return is a character":     {func(c *Console) { c.Keys[0][28], c.Keys[1][28], c.Keys[2][28], c.Keys[3][28] = hole, hole, hole, '\r' }, map[rune]string{'\n': "SA28"}},
		"no Shift":                  {func(c *Console) { c.Keys[0][codeShift] = hole }, map[rune]string{'Y': "", '@': "A16", '`': ""}},
		"no Control":                {func(c *Console) { c.Keys[4][codeControl] = hole }, map[rune]string{'å': "", 'a': "30"}},
		"an accent of its own":      {func(c *Console) { c.Accents = append(c.Accents, Accent{'^', ' ', 'λ'}) }, map[rune]string{'λ': "41 57", '^': ""}},
		"the accent that is no key": {func(c *Console) { c.Keys[0][13] = ktDead<<8 | 200 }, map[rune]string{'é': "", '\x00': ""}},
	} {
		keys := german()
		c.change(keys)
		l := keys.Layout()
		if name == "AltGr twice" && l.Level3 != codeAltGr || name == "AltGr elsewhere" && l.Level3 != 56 {
			t.Errorf("%s: it is %d", name, l.Level3)
		}
		for r, want := range c.want {
			strokes, _ := l.Strokes(r)
			var got []string
			for _, s := range strokes {
				how := ""
				for _, m := range [...]struct {
					held bool
					name string
				}{{s.Shift, "S"}, {s.Level3, "A"}, {s.Control, "C"}} {
					if m.held {
						how += m.name
					}
				}
				got = append(got, how+fmt.Sprint(s.Code))
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("%s: %q is %q, want %q", name, r, got, want)
			}
		}
		types(t, keys, l)
	}
}

// kernel does with keys what the kernel's keyboard.c does.
type kernel struct {
	*Console
	state    int
	diacr    rune
	deadNext bool
	typed    []rune
}

func (k *kernel) key(code int, down bool) {
	if k.state >= len(k.Keys) || k.Keys[k.state][0] == kNoSuchMap { // a table that there is not
		if k.state = 0; down && k.Keys[0][code]>>8 == ktShift {
			k.state = 1 << (k.Keys[0][code] & 0xff)
		}
		return
	}
	v := k.Keys[k.state][code]
	kind, value := v>>8, v&0xff
	if kind > 15 {
		if down {
			k.typed = append(k.typed, rune(v^0xf000))
		}
		return
	}
	if kind == ktLetter {
		kind = ktLatin
		if other := k.state ^ 1; k.Caps && other < len(k.Keys) && k.Keys[other][0] != kNoSuchMap {
			value = k.Keys[k.state^1][code] & 0xff
		}
	}
	switch {
	case kind == ktShift:
		if k.state &^= 1 << value; down {
			k.state |= 1 << value
		}
	case !down:
	case kind == ktLatin && k.Screen[value] == 0xf000|value:
		k.self(rune(value))
	case kind == ktLatin:
		k.self(rune(k.Screen[value]))
	case kind == ktDead && int(value) < len(deadChars):
		k.dead(rune(deadChars[value]))
	case kind == ktDead2:
		k.dead(rune(value))
	case v == kEnter:
		if k.diacr != 0 {
			k.typed = append(k.typed, k.diacr)
			k.diacr = 0
		}
		k.typed = append(k.typed, '\r')
	case v == kCompose:
		k.deadNext = true
	}
}

func (k *kernel) self(r rune) {
	r = k.combined(r)
	if k.deadNext {
		k.deadNext, k.diacr = false, r
		return
	}
	k.typed = append(k.typed, r)
}

func (k *kernel) dead(r rune) { k.diacr = k.combined(r) }

func (k *kernel) combined(r rune) rune {
	d := k.diacr
	k.diacr = 0
	if d == 0 {
		return r
	}
	for _, a := range k.Accents {
		if a.Diacr == d && a.Base == r {
			return a.Result
		}
	}
	if r == ' ' || r == d {
		return d
	}
	k.typed = append(k.typed, d)
	return r
}

// types fails if keys of the layout do not type on the kernel what they should, and only that.
func types(t *testing.T, c *Console, l *Layout) {
	t.Helper()
	for r, strokes := range l.strokes {
		k := &kernel{Console: c}
		for _, s := range strokes {
			var codes []int
			if s.Control {
				codes = append(codes, codeControl)
			}
			if s.Shift {
				codes = append(codes, codeShift)
			}
			if s.Level3 {
				codes = append(codes, int(l.Level3))
			}
			codes = append(codes, int(s.Code))
			for _, code := range codes {
				k.key(code, true)
			}
			slices.Reverse(codes)
			for _, code := range codes {
				k.key(code, false)
			}
		}
		want := []rune{r}
		switch {
		case r == '\n' && len(k.typed) == 1 && k.typed[0] == '\r': // the terminal makes a new line of either
			want[0] = '\r'
		case r == '\b' && len(k.typed) == 1 && k.typed[0] == 0x7f: // which of the two erases is the console's
			want[0] = 0x7f
		}
		if !slices.Equal(k.typed, want) || k.state != 0 || k.diacr != 0 || k.deadNext {
			t.Errorf("%q by %v types %q, and leaves %b, %q, %v", r, strokes, k.typed, k.state, k.diacr, k.deadNext)
		}
	}
}

// Whatever a keymap is, what the layout has is typed exactly.
func FuzzConsole(f *testing.F) {
	f.Add(uint8(1), []byte{0, 13, 0, 4, 1, 30, 0x61, 11, 2, 30, 0xe4, 0xf0}, "'eé\"uü")
	f.Add(uint8(2), []byte{1, 0, 0x7f, 2, 3, 100, 0, 2, 0, 52, 14, 2}, "oaå^ λ")
	f.Add(uint8(7), []byte{0, 42, 1, 7, 1, 42, 1, 7, 4, 29, 2, 7, 0, 28, 10, 0}, "''x")
	f.Fuzz(func(t *testing.T, flags uint8, entries []byte, accents string) {
		c := german()
		c.Caps, c.Unicode = flags&1 != 0, flags&2 != 0
		if flags&4 != 0 {
			c.Screen[flags] = uint16(flags) << 4
		}
		for len(entries) >= 4 {
			c.Keys[int(entries[0])%ConsoleTables][entries[1]%ConsoleKeys] = binary.LittleEndian.Uint16(entries[2:])
			entries = entries[4:]
		}
		all := []rune(accents)
		for len(all) >= 3 {
			c.Accents = append(c.Accents, Accent{all[0], all[1], all[2]})
			all = all[3:]
		}
		types(t, c, c.Layout())
	})
}
