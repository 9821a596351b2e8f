//go:build linux

package uinput

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/keymap"
)

// frame reads one frame in short: "type code value" of each event.
func frame(t *testing.T, frames interface{ Read([]byte) (int, error) }) []string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := frames.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]event, n/eventSize)
	if err := binary.Read(bytes.NewReader(buf[:n]), binary.NativeEndian, &got); err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range got {
		words = append(words, fmt.Sprint(e.Type, e.Code, e.Value))
	}
	return words
}

func TestMouse(t *testing.T) {
	keys, frames := piped(t)
	for _, c := range []struct {
		do   func() error
		want []string
	}{
		{func() error { return keys.MoveBy(-3, 4) }, []string{"2 0 -3", "2 1 4", "0 0 0"}},
		{func() error { return keys.Scroll(0, 2) }, []string{"2 8 -2", "2 11 -240", "0 0 0"}},
		{func() error { return keys.Scroll(-1, 0) }, []string{"2 6 -1", "2 12 -120", "0 0 0"}},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if got := frame(t, frames); !slices.Equal(got, c.want) {
			t.Errorf("frame %v, want %v", got, c.want)
		}
	}
	if err := keys.Scroll(0, 0); err != nil {
		t.Error(err)
	}
	none := new(Keys)
	for _, err := range []error{none.MoveBy(1, 1), none.Scroll(1, 1), none.Key(30, true)} {
		if !errors.Is(err, report.ErrKeysUnavailable) {
			t.Errorf("without devices: %v", err)
		}
	}
}

// stroke reads a write that presses and releases, each key as a frame of its own.
func stroke(t *testing.T, frames interface{ Read([]byte) (int, error) }) string {
	t.Helper()
	var keys []string
	for i, event := range frame(t, frames) {
		key, isKey := strings.CutPrefix(event, "1 ")
		if isKey != (i%2 == 0) || !isKey && event != "0 0 0" {
			t.Errorf("event %d of a write is %s", i, event)
		}
		if isKey {
			keys = append(keys, key)
		}
	}
	return strings.Join(keys, ", ")
}

func TestTextPressesWhatTheLayoutSays(t *testing.T) {
	k, err := keymap.Parse([]byte(`xkb_keymap { xkb_keycodes { <Z> = 29; <E> = 26; <ALT> = 108; }; xkb_symbols {
		key <Z> { [ z, Z ] }; key <E> { [ e, E, EuroSign, NoSymbol ] }; key <ALT> { [ ISO_Level3_Shift ] }; }; };`))
	if err != nil {
		t.Fatal(err)
	}
	keys, frames := piped(t)
	if err := keys.Type("Z€z", k.Layout(0, false)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"42 1, 21 1, 21 0, 42 0", "100 1, 18 1, 18 0, 100 0", "21 1, 21 0"} {
		if got := stroke(t, frames); got != want {
			t.Errorf("a write of %q, want %q", got, want)
		}
	}
	var cannot *keymap.Untypable
	if err := keys.Type("zzß", k.Layout(0, false)); !errors.As(err, &cannot) || cannot.Rune != 'ß' {
		t.Errorf("ß is typed: %v", err)
	}
	if err := keys.Key(effect.Key(30), true); err != nil { // the next frame: nothing of zz was typed
		t.Fatal(err)
	}
	if got := frame(t, frames); got[0] != "1 30 1" {
		t.Errorf("frame %v", got)
	}
}

func TestComposeIsPressedWithControl(t *testing.T) {
	c := &keymap.Console{Unicode: true, Accents: []keymap.Accent{{Diacr: 'o', Base: 'a', Result: 'å'}}}
	for i := range c.Screen {
		c.Screen[i] = 0xf000 | uint16(i)
	}
	c.Keys[0][24], c.Keys[0][30], c.Keys[0][29], c.Keys[4][29], c.Keys[4][52] = 'o', 'a', 0x702, 0x702, 0x20e // as linux/keyboard.h has them
	keys, frames := piped(t)
	if err := keys.Type("å", c.Layout()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"29 1, 52 1, 52 0, 29 0", "24 1, 24 0", "30 1, 30 0"} {
		if got := stroke(t, frames); got != want {
			t.Errorf("a write of %q, want %q", got, want)
		}
	}
	if err := keys.Type("ż", c.Layout()); err == nil || err.Error() != "cannot type 'ż' (U+017C): the console's keymap has no key for it" {
		t.Errorf("%v", err)
	}
}
