package keymap

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Sym is a keysym of X11, which Wayland's keymaps use too: what is engraved on a key.
type Sym uint32

// Keysyms that are no characters.
const (
	None       Sym = 0
	BackSpace  Sym = 0xff08
	Tab        Sym = 0xff09
	Return     Sym = 0xff0d
	ShiftL     Sym = 0xffe1
	Level3     Sym = 0xfe03 // ISO_Level3_Shift: AltGr where it types
	deadGrave  Sym = 0xfe50
	deadCircum Sym = 0xfe52
	deadTilde  Sym = 0xfe53

	// unicode is added to the code point of characters that have no older keysym.
	unicodeSym Sym = 0x0100_0000
)

// named is a row of the table in names.go, which is sorted by name.
type named struct {
	name string
	sym  Sym
	char rune // 0: it is none
}

// runes are the characters of the older keysyms, sorted by keysym. Most processes never type.
var runes = sync.OnceValue(func() []named {
	all := make([]named, 0, len(names))
	for _, n := range names {
		if n.char != 0 && n.sym < unicodeSym {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b named) int { return cmp.Compare(a.sym, b.sym) })
	return all
})

// Named is the keysym of a name as keymaps have them: "eacute", "U20AC", "0x1001234". It is
// None for names that nobody knows.
func Named(name string) Sym {
	if i, ok := slices.BinarySearchFunc(names[:], name, func(n named, name string) int { return strings.Compare(n.name, name) }); ok {
		return names[i].sym
	}
	digits, isHex := strings.CutPrefix(name, "0x")
	code, isRune := strings.CutPrefix(name, "U")
	switch {
	case isHex:
		if n, err := strconv.ParseUint(digits, 16, 29); err == nil {
			return Sym(n)
		}
	case isRune && len(code) >= 4:
		if n, err := strconv.ParseUint(code, 16, 32); err == nil && n >= 0x20 && n <= unicode.MaxRune {
			return Of(rune(n))
		}
	}
	return None
}

// Of is a keysym that types the character. Control characters have none but Return, Tab and
// BackSpace.
func Of(r rune) Sym {
	switch {
	case r == '\n' || r == '\r':
		return Return
	case r == '\t':
		return Tab
	case r == '\b':
		return BackSpace
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r > unicode.MaxRune:
		return None
	case r < 0x100:
		return Sym(r)
	}
	return unicodeSym | Sym(r)
}

// OldOf is the keysym that types the character, the older one if there are two: with it, programs
// and servers know of upper and lower case.
func OldOf(r rune) Sym {
	for _, n := range runes() {
		if n.char == r {
			return n.sym
		}
	}
	return Of(r)
}

// Rune is the character that the keysym types, or 0.
func (s Sym) Rune() rune {
	switch {
	case s >= unicodeSym+0x100 && s <= unicodeSym+unicode.MaxRune:
		return rune(s - unicodeSym)
	case s >= 0x20 && s < 0x7f || s >= 0xa0 && s < 0x100:
		return rune(s)
	case s == Return:
		return '\n'
	case s == Tab:
		return '\t'
	case s == BackSpace:
		return '\b'
	}
	if i, ok := slices.BinarySearchFunc(runes(), s, func(n named, s Sym) int { return cmp.Compare(n.sym, s) }); ok {
		return runes()[i].char
	}
	return 0
}

// Untypable says that a character cannot be typed. Nothing of its text was.
type Untypable struct {
	Rune rune
	Why  string // "the layout German has no key for it"
}

func (u *Untypable) Error() string {
	return fmt.Sprintf("cannot type %q (%U): %s", u.Rune, u.Rune, u.Why)
}
