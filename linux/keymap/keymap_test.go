package keymap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/keymap"
)

// small is a keymap of two layouts, German and Russian, with all that the parser has to know.
const small = `xkb_keymap {
xkb_keycodes "(unnamed)" {
	minimum = 8; maximum = 255; // a comment
	<AE01> = 10; <AE07> = 16; <AE12> = 21; <TLDE> = 49; <AD01> = 24; <AD03> = 26; <AD06> = 29; <AE11> = 20;
	<RTRN> = 36; <TAB> = 23; <SPCE> = 65; <RALT> = 108; <KP1> = 87; <FK01> = 67; <I999> = 600; <LVL3> = 92;
	alias <LatQ> = <AD01>;
	indicator 1 = "Caps Lock";
};
xkb_types "(unnamed)" {
	virtual_modifiers LevelThree=Mod5;
	type "ALPHABETIC" { modifiers= Shift+Lock; map[Shift]= 2; map[Lock]= Level2; level_name[1]= "Base"; };
	type "ODD" { modifiers= LevelThree; map[LevelThree]= 2; };
	type "CTRL" { modifiers= Control; map[Control]= 2; };
	type "LOCKED" { modifiers= Shift+LevelThree+Lock; map[Shift]= 2; map[LevelThree]= 3; map[LevelThree+Shift]= 4; preserve[Lock]= Lock; };
};
xkb_compatibility "(unnamed)" { interpret Shift_L+AnyOf(all) { action= SetMods(modifiers=Shift,clearLocks); }; };
xkb_symbols "(unnamed)" {
	name[Group1]="German"; name[Group2]="Russian";
	key <AE01> { [ 1, exclam ] };
	key <AE07> { [ 7, slash, braceleft, NoSymbol ] };
	key <AE12> { [ dead_acute, dead_grave ] };
	key <TLDE> { [ dead_circumflex, degree ], [ Cyrillic_io, Cyrillic_IO ] };
	key <LatQ> { type= "ALPHABETIC", symbols[Group1]= [ q, Q ], symbols[Group2]= [ Cyrillic_shorti, Cyrillic_SHORTI ] };
	key <AD03> { symbols[Group1]= [ e, E, EuroSign, { U1E9E, e } ], actions[Group1]= [ NoAction(), NoAction(), NoAction() ] };
	key <AD06> { repeat= No, [ z, Z ] };
	key <AE11> { type= "LOCKED", [ ssharp, question, backslash, U1F600 ] };
	key <RTRN> { [ Return ] };
	key <TAB> { [ Tab, ISO_Left_Tab ] };
	key <SPCE> { [ space ] };
	key <RALT> { type= "ONE_LEVEL", [ ISO_Level3_Shift ] };
	key <KP1> { type= "ODD", [ KP_1, at ] };
	key <FK01> { type= "CTRL", [ F1, 0x1002022 ] };
	key <I999> { [ ogonek ] };
	key <LVL3> { [ ISO_Level3_Shift ] };
	key <NONE> { [ eogonek ] };
	modifier_map Shift { <LFSH>, <RTSH> };
};
};` + "\x00"

func parse(t testing.TB, text string) *keymap.Keymap {
	t.Helper()
	k, err := keymap.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// spelled are strokes in short: "26+S" is the key with Shift, "+3" with the third level.
func spelled(strokes []keymap.Stroke) string {
	var words []string
	for _, s := range strokes {
		w := fmt.Sprint(s.Code)
		if s.Shift {
			w += "+S"
		}
		if s.Level3 {
			w += "+3"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func TestStrokes(t *testing.T) {
	k := parse(t, small)
	if want := []string{"German", "Russian"}; !slices.Equal(k.Groups, want) {
		t.Errorf("layouts %q, want %q", k.Groups, want)
	}
	for _, c := range []struct {
		group int
		caps  bool
		want  map[rune]string
	}{
		{0, false, map[rune]string{
			'1': "2", '!': "2+S", '7': "8", '/': "8+S", '{': "8+3", 'q': "16", 'Q': "16+S", 'e': "18", 'E': "18+S", '€': "18+3", 'z': "21", 'Z': "21+S",
			'ß': "12", '?': "12+S", '\\': "12+3", '😀': "12+S+3", '\n': "28", '\r': "28", '\t': "15", ' ': "57", '@': "79+3",
			'^': "41 57", '`': "13+S 57", '°': "41+S",
			'й': "", 'ę': "", 'ẞ': "", '•': "", '~': "", '\x00': "", '´': "", '˛': "",
		}},
		{0, true, map[rune]string{'q': "16+S", 'Q': "16", 'e': "18+S", 'E': "18", '€': "18+3", 'ß': "12", '?': "", '1': "2", '!': "2+S"}},
		{1, false, map[rune]string{'й': "16", 'Й': "16+S", 'ё': "41", 'e': "18", 'q': "", '^': "", '{': "8+3"}},
		{1, true, map[rune]string{'й': "16+S", 'Й': "16"}},
		{3, false, map[rune]string{'й': "16", '1': "2"}}, // as many layouts as there are, round and round
	} {
		l := k.Layout(c.group, c.caps)
		for r, want := range c.want {
			got, ok := l.Strokes(r)
			if spelled(got) != want || ok != (want != "") {
				t.Errorf("layout %d, caps %v: %q is typed by %q, want %q", c.group, c.caps, r, spelled(got), want)
			}
		}
	}
	l := k.Layout(0, false)
	if l.Level3 != 100 {
		t.Errorf("the third level is on key %d", l.Level3)
	}
	for sym, want := range map[keymap.Sym]uint16{'z': 21, 'Z': 0, keymap.Return: 28, keymap.Named("F1"): 59} {
		if got, ok := l.Code(sym); got != want || ok != (want != 0) {
			t.Errorf("keysym %#x is on key %d, want %d", sym, got, want)
		}
	}
}

func TestEqual(t *testing.T) {
	k := parse(t, small)
	german := k.Layout(0, false)
	if !german.Equal(k.Layout(2, false)) { // round and round
		t.Error("a layout is not what it is")
	}
	if german.Equal(k.Layout(1, false)) || german.Equal(k.Layout(0, true)) {
		t.Error("another layout, and Caps Lock, are no difference")
	}
}

// Without a key for it nothing of the third level can be typed.
func TestNoThirdLevel(t *testing.T) {
	l := parse(t, strings.Replace(small, "ISO_Level3_Shift", "Alt_R", 1)).Layout(0, false)
	if s, ok := l.Strokes('€'); ok {
		t.Errorf("typed by %s", spelled(s))
	}
	if _, ok := l.Strokes('e'); !ok {
		t.Error("e cannot be typed")
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "it is none",
		"xkb_keymap":                  `no "{"`,
		"xkb_keymap {":                "ends too early",
		"xkb_keymap { };":             "no keys",
		"xkb_keymap { xkb_symbols {":  "ends too early",
		"xkb_keymap { xkb_types { ) ": "without its beginning",
		small[:len(small)/2]:          "ends too early",
		"xkb_keymap { xkb_keycodes { <A> = 9; }; xkb_symbols { key <A> { symbols[Group1]= [ a": "ends too early",
	} {
		if _, err := keymap.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	if _, err := keymap.Parse(make([]byte, keymap.MaxSize+1)); err == nil {
		t.Error("a keymap too large is read")
	}
}

func TestSyms(t *testing.T) {
	for name, want := range map[string]rune{
		"a": 'a', "EuroSign": '€', "Cyrillic_zhe": 'ж', "U6F22": '漢', "0x1006f22": '漢', "U20": ' ', "Uacute": 'Ú', "zabovedot": 'ż', "Return": '\n',
		"F1": 0, "nonsense": 0, "NoSymbol": 0, "U0": 0, "U110000": 0, "0xffffffffff": 0, "KP_1": 0, "XF86AudioPlay": 0, "UZZZZ": 0,
	} {
		if got := keymap.Named(name).Rune(); name != "U20" && got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, r := range "aZ~ ÿ€żж漢😀\n\t" {
		if got := keymap.Of(r).Rune(); got != r {
			t.Errorf("%q comes back as %q", r, got)
		}
	}
	for _, r := range []rune{0, 0x1b, 0x7f, 0x85, 0x110000} {
		if s := keymap.Of(r); s != keymap.None {
			t.Errorf("%#x has keysym %#x", r, s)
		}
	}
}

// Every key that a configuration can name is on the keyboard that says what names mean.
func TestEveryKeyIsMeant(t *testing.T) {
	for _, code := range effect.KeyCodes() {
		if code == 464 {
			continue // Fn: keymaps know no key beyond 247
		}
		n := keymap.US(uint16(code))
		if len(n) == 0 {
			t.Errorf("key %d (%s) has no keysym", code, effect.KeyName(code))
			continue
		}
		if name := effect.KeyName(code); len(name) == 1 && keymap.Meant(uint16(code)) != keymap.Of(rune(name[0])) {
			t.Errorf("key %d (%s) means %v", code, name, n)
		}
	}
	for code, want := range map[uint16]keymap.Sym{44: 'z', 26: '[', 28: keymap.None, 57: keymap.None, 86: keymap.None, 71: keymap.None, 300: keymap.None} {
		if got := keymap.Meant(code); got != want {
			t.Errorf("key %d means %#x, want %#x", code, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("xkb_keymap { xkb_keycodes { <A> = 38; <R> = 108; }; xkb_types { type \"T\" { modifiers= Shift+LevelThree; map[Shift]= 2; map[LevelThree]= Level3; }; }; xkb_symbols { name[Group1]=\"x\"; key <A> { type= \"T\", [ a, A, EuroSign ] }; key <R> { [ ISO_Level3_Shift ] }; }; };")
	f.Add("xkb_keymap { xkb_keycodes { <A> = 9; alias <B> = <A>; }; xkb_symbols { key <B> { type[Group2]= \"X\", [ a, { b }, \"c\n <d ], symbols[Group32] = [ e ] }; }; };")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := keymap.Parse([]byte(text))
		if err != nil {
			return
		}
		for group := range len(k.Groups) + 1 {
			l := k.Layout(group, group%2 == 1)
			for _, r := range "aé€ж~^\n" {
				s, ok := l.Strokes(r)
				if ok != (len(s) > 0) {
					t.Errorf("%q: %v, %v", r, s, ok)
				}
				for _, s := range s {
					if s.Code == 0 || s.Level3 && l.Level3 == 0 {
						t.Errorf("%q: %+v", r, s)
					}
				}
			}
		}
	})
}
