package effect

import (
	"slices"
	"strings"
)

// keyTable is every key that can be named, with its names, the canonical one first. Names are
// lower case. The codes are those of linux/input-event-codes.h. Keys that turn the machine
// off or send it to sleep (KEY_POWER, KEY_SLEEP, KEY_SUSPEND, KEY_WAKEUP, KEY_RESTART) are not
// here and must not be: logind acts on them wherever they come from.
var keyTable = []struct {
	code  Key
	names string
}{
	{1, "escape esc"},
	{2, "1"},
	{3, "2"},
	{4, "3"},
	{5, "4"},
	{6, "5"},
	{7, "6"},
	{8, "7"},
	{9, "8"},
	{10, "9"},
	{11, "0"},
	{12, "minus -"},
	{13, "equal = equals"},
	{14, "backspace"},
	{15, "tab"},
	{16, "q"},
	{17, "w"},
	{18, "e"},
	{19, "r"},
	{20, "t"},
	{21, "y"},
	{22, "u"},
	{23, "i"},
	{24, "o"},
	{25, "p"},
	{26, "leftbracket [ leftbrace"},
	{27, "rightbracket ] rightbrace"},
	{28, "return enter"},
	{29, "ctrl control leftctrl leftcontrol lctrl"},
	{30, "a"},
	{31, "s"},
	{32, "d"},
	{33, "f"},
	{34, "g"},
	{35, "h"},
	{36, "j"},
	{37, "k"},
	{38, "l"},
	{39, "semicolon ;"},
	{40, "apostrophe ' quote"},
	{41, "grave ` backtick"},
	{42, "shift leftshift lshift"},
	{43, `backslash \`},
	{44, "z"},
	{45, "x"},
	{46, "c"},
	{47, "v"},
	{48, "b"},
	{49, "n"},
	{50, "m"},
	{51, "comma ,"},
	{52, "period . dot"},
	{53, "slash /"},
	{54, "rightshift rshift"},
	{55, "kpmultiply kpasterisk *"},
	{56, "alt option opt leftalt lalt"},
	{57, "space"},
	{58, "capslock"},
	{59, "f1"},
	{60, "f2"},
	{61, "f3"},
	{62, "f4"},
	{63, "f5"},
	{64, "f6"},
	{65, "f7"},
	{66, "f8"},
	{67, "f9"},
	{68, "f10"},
	{69, "numlock"},
	{70, "scrolllock"},
	{71, "kp7"},
	{72, "kp8"},
	{73, "kp9"},
	{74, "kpminus kpsubtract"},
	{75, "kp4"},
	{76, "kp5"},
	{77, "kp6"},
	{78, "kpplus plus + kpadd"}, // the one plus that needs no Shift on any layout
	{79, "kp1"},
	{80, "kp2"},
	{81, "kp3"},
	{82, "kp0"},
	{83, "kpdot kpdecimal"},
	{86, "102nd"}, // left of Z on ISO keyboards
	{87, "f11"},
	{88, "f12"},
	{96, "kpenter"},
	{97, "rightctrl rightcontrol rctrl"},
	{98, "kpslash kpdivide"},
	{99, "printscreen print sysrq"},
	{100, "rightalt altgr ralt"},
	{102, "home"},
	{103, "up"},
	{104, "pageup"},
	{105, "left"},
	{106, "right"},
	{107, "end"},
	{108, "down"},
	{109, "pagedown"},
	{110, "insert"},
	{111, "delete del"},
	{113, "mute"},
	{114, "volumedown"},
	{115, "volumeup"},
	{117, "kpequal"},
	{119, "pause"},
	{121, "kpcomma"},
	{125, "super cmd meta win leftmeta lmeta"},
	{126, "rightmeta rightsuper rightcmd rightwin rmeta"},
	{127, "menu compose"}, // KEY_COMPOSE is what the menu key of a keyboard sends
	{140, "calculator calc"},
	{158, "back"},
	{159, "forward"},
	{161, "eject ejectcd"},
	{163, "next nexttrack nextsong"},
	{164, "playpause"},
	{165, "prev previoustrack previoussong previous"},
	{166, "stop stopcd"},
	{167, "record"},
	{168, "rewind"},
	{173, "refresh"},
	{183, "f13"},
	{184, "f14"},
	{185, "f15"},
	{186, "f16"},
	{187, "f17"},
	{188, "f18"},
	{189, "f19"},
	{190, "f20"},
	{191, "f21"},
	{192, "f22"},
	{193, "f23"},
	{194, "f24"},
	{207, "play"},
	{208, "fastforward"},
	{217, "search"},
	{224, "brightnessdown"},
	{225, "brightnessup"},
	{228, "kbdillumtoggle"},
	{229, "kbdillumdown"},
	{230, "kbdillumup"},
	{248, "micmute"},
	{464, "fn"},
}

var keyCodes = func() map[string]Key {
	codes := make(map[string]Key, 2*len(keyTable))
	for _, k := range keyTable {
		for name := range strings.FieldsSeq(k.names) {
			codes[name] = k.code
		}
	}
	return codes
}()

// KeyNamed finds a key by any of its names, in any case.
func KeyNamed(name string) (Key, bool) {
	code, ok := keyCodes[name]
	if !ok {
		code, ok = keyCodes[strings.ToLower(name)]
	}
	return code, ok
}

// KeyNames are all names of all keys, sorted.
func KeyNames() []string {
	names := make([]string, 0, len(keyCodes))
	for name := range keyCodes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// KeyCodes are the keys that can be named, ascending: all that a keyboard of ours needs.
func KeyCodes() []Key {
	codes := make([]Key, 0, len(keyTable))
	for _, k := range keyTable {
		codes = append(codes, k.code)
	}
	return codes
}

// KeyName is the canonical name of a key, or empty if it has none.
func KeyName(code Key) string {
	for _, k := range keyTable {
		if k.code == code {
			name, _, _ := strings.Cut(k.names, " ")
			return name
		}
	}
	return ""
}
