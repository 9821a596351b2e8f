//go:build linux

package x11

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode"

	"github.com/jezek/xgb/xproto"

	"github.com/amiable-dev/midimon/linux/keymap"
)

const (
	// patience is how long the user may take to let go of modifiers before a text is typed.
	patience = 300 * time.Millisecond
	// look is how often it is asked meanwhile: the core protocol tells nobody.
	look = 10 * time.Millisecond
	// settle is what programs need to notice that keys have other characters.
	settle = 60 * time.Millisecond
	// burst is how many characters are typed at once, and pause for how long programs may then read.
	burst = 64
	pause = 2 * time.Millisecond
)

// Type types a text. What the layout has is typed by it; the other characters get keys of their own
// meanwhile, keycodes that no key of the keyboard has. An *keymap.Untypable means that nothing was
// typed.
func (in *Input) Type(ctx context.Context, text string) error {
	chars := []rune(text)
	for _, r := range chars {
		if keymap.Of(r) == keymap.None {
			return &keymap.Untypable{Rune: r, Why: "it is a control character"}
		}
	}
	mask, group, err := in.unmodified(ctx)
	if err != nil {
		return err
	}
	in.more = more
	for len(chars) > 0 {
		n, strokes, err := in.prepare(ctx, chars, group)
		if err != nil {
			return err
		}
		in.strike(chars[:n], strokes, mask&maskLock != 0)
		if err := in.gone(); err != nil {
			return err
		}
		chars = chars[n:]
	}
	return nil
}

// unmodified waits until no modifier is down: to let go of one that the user holds would leave it
// latched.
func (in *Input) unmodified(ctx context.Context) (mask uint16, group int, err error) {
	defer in.guard()()
	for end := time.Now().Add(patience); ; {
		mask, group, err = in.state()
		switch {
		case err != nil:
			return 0, 0, err
		case mask&maskModifiers == 0:
			return mask, group, nil
		case time.Now().After(end):
			return 0, 0, errors.New("cannot type: a modifier key is held down")
		}
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-in.done:
			return 0, 0, errGone
		case <-time.After(look):
		}
	}
}

// prepare makes as many of the characters typable as there are keys for, and says how.
func (in *Input) prepare(ctx context.Context, chars []rune, group int) (n int, strokes map[rune]stroke, err error) {
	stop := in.guard()
	m, err := readMapping(in.c) // now, whatever was told of it
	stop()
	if err != nil {
		return 0, nil, in.lost(err)
	}
	in.mapping = m
	strokes = m.strokes(group)
	ours := map[rune]byte{} // a letter's lower case, by which its key goes
	for code, r := range in.bound {
		if i := int(code) - int(m.first); i < m.codes() && m.at(i, 0) == keymap.OldOf(r) {
			ours[r] = code
		} else {
			delete(in.bound, code) // somebody has set another layout
		}
	}
	free := m.spare()
	wanted := map[rune]bool{}
	for n < len(chars) {
		r := normal(chars[n])
		if s, ok := strokes[r]; !ok || in.bound[s.code] != 0 {
			lower := base(r)
			if !wanted[lower] && len(wanted) == len(free)+len(ours) {
				break
			}
			wanted[lower] = true
		}
		n++
	}
	if n == 0 {
		return 0, nil, &keymap.Untypable{Rune: chars[0], Why: "the layout has no key for it, and the X server no keycode free"}
	}
	if err := in.give(ctx, wanted, ours, free); err != nil {
		return 0, nil, err
	}
	for code, r := range in.bound {
		upper := shifted(r)
		strokes[r] = stroke{code: code, letter: upper != r}
		if upper != r {
			strokes[upper] = stroke{code: code, shift: true, letter: true}
		}
	}
	return n, strokes, nil
}

// give binds the characters that have no key yet, all at once.
func (in *Input) give(ctx context.Context, wanted map[rune]bool, ours map[rune]byte, free []byte) error {
	var missing []rune
	for r := range wanted {
		if _, ok := ours[r]; !ok {
			missing = append(missing, r)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	if len(missing) > len(free) { // take from characters that are not wanted now
		if err := in.wasRead(ctx); err != nil {
			return err
		}
		for r, code := range ours {
			if len(free) == len(missing) {
				break // what keeps its character is not lost to the next text, nor to Close
			}
			if !wanted[r] {
				delete(in.bound, code)
				free = append(free, code)
			}
		}
	}
	defer in.guard()()
	for i, r := range missing {
		code := free[i]
		in.bound[code] = r
		in.bind(code, keymap.OldOf(r), keymap.OldOf(shifted(r)))
	}
	in.c.Sync()
	time.Sleep(settle)
	return in.gone()
}

func (in *Input) bind(code byte, plain, shifted keymap.Sym) {
	xproto.ChangeKeyboardMapping(in.c, 1, xproto.Keycode(code), 2, []xproto.Keysym{xproto.Keysym(plain), xproto.Keysym(shifted)})
}

// strike types characters that all have a key.
func (in *Input) strike(chars []rune, strokes map[rune]stroke, caps bool) {
	const shiftCode = 42 + 8
	level3 := uint16(in.mapping.level3())
	for chunk := range slices.Chunk(chars, burst) {
		stop := in.guard()
		for _, r := range chunk {
			s := strokes[normal(r)]
			shift := s.shift != (caps && s.letter)
			if shift {
				in.fake(shiftCode, true)
			}
			if s.level3 {
				in.fake(level3, true)
			}
			in.fake(uint16(s.code), true)
			in.fake(uint16(s.code), false)
			if s.level3 {
				in.fake(level3, false)
			}
			if shift {
				in.fake(shiftCode, false)
			}
		}
		in.c.Sync()
		stop()
		time.Sleep(pause)
	}
	defer in.guard()()
	in.typed, in.read = time.Now(), in.reader()
}

// base is the character by which a key of ours goes: that without Shift.
func base(r rune) rune {
	if l := unicode.ToLower(r); shifted(l) == r {
		return l
	}
	return r
}

// shifted is what a key of ours has with Shift.
func shifted(r rune) rune {
	if u := unicode.ToUpper(r); unicode.ToLower(u) == r {
		return u
	}
	return r
}

// normal is a line's end as the Return key types it.
func normal(r rune) rune {
	if r == '\r' {
		return '\n'
	}
	return r
}
