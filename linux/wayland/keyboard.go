//go:build linux

package wayland

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/linux/keymap"
)

// Interfaces that a compositor offers or not, and the opcodes of their requests.
const (
	seatInterface            = "wl_seat"
	virtualKeyboardInterface = "zwp_virtual_keyboard_manager_v1"

	managerCreateKeyboard = 0

	keyboardKeymap    = 0
	keyboardKey       = 1
	keyboardModifiers = 2
	keyboardDestroy   = 3

	keymapText = 1 // XKB_V1
)

// The codes that a keymap can have. X counts from 8, and its keys end at 255.
const (
	firstCode = 1
	lastCode  = 247
)

// burst is how many characters are typed before the compositor is waited for, and pause for how
// long its clients may then read: one that falls too far behind, it would end.
const (
	burst = 32
	pause = time.Millisecond
	// turn is how long its clients may take for another keymap, where a text needs several.
	turn = 50 * time.Millisecond
)

// Modifiers as bits (X11's), and what is locked by its key.
var modifiers = map[uint16]uint32{
	29: 4, 97: 4, // Control
	42: 1, 54: 1, // Shift
	56:  8,           // Alt: Mod1
	125: 64, 126: 64, // Super: Mod4
	100: 128, // AltGr: Mod5
}

var locks = map[uint16]uint32{58: 2, 69: 16} // Caps Lock, Num Lock: Mod2

// A Keyboard is a virtual keyboard with a keymap of our own: what its keys type does not depend
// on the layout that the user has chosen. Its owner serialises all calls.
type Keyboard struct {
	conn    *Conn
	id      uint32
	started time.Time
	down    [lastCode + 1]bool
	locked  uint32
	runes   map[rune]uint16 // the codes that we gave them
	free    []uint16        // codes that no named key has
	buf     []byte
}

// NewKeyboard makes a keyboard on the compositor's first seat.
func NewKeyboard(ctx context.Context, c *Conn) (*Keyboard, error) {
	manager, ok := c.Find(virtualKeyboardInterface)
	if !ok {
		return nil, errors.New("the compositor lacks " + virtualKeyboardInterface)
	}
	seat, ok := c.Find(seatInterface)
	if !ok {
		return nil, errors.New("the compositor has no seat")
	}
	k := &Keyboard{conn: c, started: time.Now(), runes: map[rune]uint16{}}
	for code := uint16(firstCode); code <= lastCode; code++ {
		if len(keymap.US(code)) == 0 {
			k.free = append(k.free, code)
		}
	}
	seatID, err := c.Bind(seat, 1, nil)
	if err != nil {
		return nil, err
	}
	managerID, err := c.Bind(manager, 1, nil)
	if err != nil {
		return nil, err
	}
	k.id, err = c.Create(nil, func(id uint32) []byte { return Append(nil, managerID, managerCreateKeyboard, seatID, id) })
	if err != nil {
		return nil, err
	}
	if err := k.upload(); err != nil {
		return nil, err
	}
	return k, c.Sync(ctx) // a compositor that does not let us says so now
}

// Has says whether there is such a key.
func (k *Keyboard) Has(code uint16) bool {
	return code >= firstCode && code <= lastCode && len(keymap.US(code)) > 0
}

// Press presses a key by the kernel's code.
func (k *Keyboard) Press(code uint16) error { return k.conn.Send(k.key(k.buf[:0], code, true)) }

// Release releases a key.
func (k *Keyboard) Release(code uint16) error { return k.conn.Send(k.key(k.buf[:0], code, false)) }

// key adds a key event to b, and one of the modifiers if it is a modifier.
func (k *Keyboard) key(b []byte, code uint16, down bool) []byte {
	state := uint32(0)
	if down {
		state = 1
	}
	k.down[code] = down
	b = Append(b, k.id, keyboardKey, k.now(), uint32(code), state)
	lock := locks[code]
	if down {
		k.locked ^= lock
	}
	if modifiers[code] != 0 || lock != 0 {
		b = k.state(b)
	}
	k.buf = b // what it has grown to
	return b
}

// state adds what modifiers are down and locked.
func (k *Keyboard) state(b []byte) []byte {
	held := uint32(0)
	for code, m := range modifiers {
		if k.down[code] {
			held |= m
		}
	}
	return Append(b, k.id, keyboardModifiers, held, 0, k.locked, 0)
}

func (k *Keyboard) now() uint32 { return uint32(time.Since(k.started).Milliseconds()) }

// Type types a text. An error that names a character means that nothing was typed.
func (k *Keyboard) Type(ctx context.Context, text string) error {
	chars := []rune(text)
	for _, r := range chars {
		if keymap.Of(r) == keymap.None {
			return &keymap.Untypable{Rune: r, Why: "it is a control character"}
		}
	}
	for code := range modifiers { // they would make something else of the characters
		if k.down[code] {
			return fmt.Errorf("cannot type: %s is held down", keymap.US(code)[0])
		}
	}
	if k.locked != 0 {
		k.locked = 0
		if err := k.conn.Send(k.state(k.buf[:0])); err != nil {
			return err
		}
	}
	for len(chars) > 0 {
		n, added := k.assign(chars)
		if added {
			if err := k.upload(); err != nil {
				return err
			}
		}
		if err := k.strike(ctx, chars[:n]); err != nil {
			return err
		}
		if chars = chars[n:]; len(chars) > 0 {
			time.Sleep(turn)
		}
	}
	return nil
}

// assign gives codes to characters that have none, as many as there is room for, and returns how
// many of chars can be typed then.
func (k *Keyboard) assign(chars []rune) (n int, added bool) {
	for i, r := range chars {
		if _, ok := usKeys()[r]; ok {
			continue
		}
		if _, ok := k.runes[r]; ok {
			continue
		}
		if len(k.runes) == len(k.free) {
			if i > 0 {
				return i, added
			}
			clear(k.runes) // all of them have been typed
		}
		taken := map[uint16]bool{}
		for _, code := range k.runes {
			taken[code] = true
		}
		for _, code := range k.free {
			if !taken[code] {
				k.runes[r] = code
				break
			}
		}
		added = true
	}
	return len(chars), added
}

// strike types characters that all have a key.
func (k *Keyboard) strike(ctx context.Context, chars []rune) error {
	for chunk := range slices.Chunk(chars, burst) {
		b := k.buf[:0]
		for _, r := range chunk {
			s, ok := usKeys()[r]
			if !ok {
				s.Code = k.runes[r]
			}
			if s.Shift {
				b = k.key(b, shiftCode, true)
			}
			b = k.key(b, s.Code, true)
			b = k.key(b, s.Code, false)
			if s.Shift {
				b = k.key(b, shiftCode, false)
			}
		}
		if err := k.conn.Send(b); err != nil {
			return err
		}
		if err := k.conn.Sync(ctx); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// ReleaseAll releases what is down, the last first.
func (k *Keyboard) ReleaseAll() error {
	b := k.buf[:0]
	for code := len(k.down) - 1; code >= 0; code-- {
		if k.down[code] {
			b = k.key(b, uint16(code), false)
		}
	}
	return k.conn.Send(b)
}

// Close releases what is down and removes the keyboard.
func (k *Keyboard) Close() error {
	return errors.Join(k.ReleaseAll(), k.conn.Send(Append(nil, k.id, keyboardDestroy)))
}

const shiftCode = 42

// usKeys are the keys that type a character in our keymap whatever it has besides.
var usKeys = sync.OnceValue(func() map[rune]keymap.Stroke {
	keys := map[rune]keymap.Stroke{}
	for code := uint16(firstCode); code <= lastCode; code++ {
		if code == 86 {
			continue // it types what 51 does
		}
		for level, name := range keymap.US(code) {
			r := keymap.Named(name).Rune()
			if _, ok := keys[r]; r != 0 && !ok {
				keys[r] = keymap.Stroke{Code: code, Shift: level == 1}
			}
		}
	}
	keys['\r'] = keys['\n']
	return keys
})

// upload gives the compositor the keymap.
func (k *Keyboard) upload() error {
	text := k.keymap()
	fd, err := unix.MemfdCreate("midimon keymap", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // it was sent
	for b := []byte(text); len(b) > 0; {
		n, err := unix.Write(fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return k.conn.Send(Append(nil, k.id, keyboardKeymap, keymapText, uint32(len(text))), fd)
}

// keymap is the text of the keymap: the keyboard of the United States, and the characters that
// it lacks on keys of their own.
func (k *Keyboard) keymap() string {
	var codes, symbols strings.Builder
	add := func(code uint16, names string) {
		_, _ = fmt.Fprintf(&codes, "<K%d> = %d;\n", code, code+8)
		_, _ = fmt.Fprintf(&symbols, "key <K%d> { [ %s ] };\n", code, names)
	}
	for code := uint16(firstCode); code <= lastCode; code++ {
		if names := keymap.US(code); len(names) > 0 {
			add(code, strings.Join(names, ", "))
		}
	}
	for _, r := range slices.Sorted(maps.Keys(k.runes)) {
		add(k.runes[r], fmt.Sprintf("U%04X", r))
	}
	return "xkb_keymap {\nxkb_keycodes \"midimon\" { minimum = 8; maximum = 255;\n" + codes.String() + "};\n" +
		"xkb_types \"midimon\" { include \"complete\" };\nxkb_compatibility \"midimon\" { include \"complete\" };\n" +
		"xkb_symbols \"midimon\" {\nname[Group1] = \"midimon\";\n" + symbols.String() +
		"modifier_map Shift { <K42>, <K54> };\nmodifier_map Lock { <K58> };\nmodifier_map Control { <K29>, <K97> };\n" +
		"modifier_map Mod1 { <K56> };\nmodifier_map Mod2 { <K69> };\nmodifier_map Mod4 { <K125>, <K126> };\nmodifier_map Mod5 { <K100> };\n" +
		"};\n};\n\x00"
}
