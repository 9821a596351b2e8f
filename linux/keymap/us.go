package keymap

import "strings"

// us is what the keys that a configuration can name have on a keyboard of the United States:
// by the kernel's code the keysyms without and with Shift. It says what somebody means who
// names a key.
var us = map[uint16]string{
	1: "Escape", 2: "1 exclam", 3: "2 at", 4: "3 numbersign", 5: "4 dollar", 6: "5 percent", 7: "6 asciicircum", 8: "7 ampersand", 9: "8 asterisk",
	10: "9 parenleft", 11: "0 parenright", 12: "minus underscore", 13: "equal plus", 14: "BackSpace", 15: "Tab ISO_Left_Tab",
	16: "q Q", 17: "w W", 18: "e E", 19: "r R", 20: "t T", 21: "y Y", 22: "u U", 23: "i I", 24: "o O", 25: "p P", 26: "bracketleft braceleft",
	27: "bracketright braceright", 28: "Return", 29: "Control_L", 30: "a A", 31: "s S", 32: "d D", 33: "f F", 34: "g G", 35: "h H", 36: "j J", 37: "k K",
	38: "l L", 39: "semicolon colon", 40: "apostrophe quotedbl", 41: "grave asciitilde", 42: "Shift_L", 43: "backslash bar", 44: "z Z", 45: "x X",
	46: "c C", 47: "v V", 48: "b B", 49: "n N", 50: "m M", 51: "comma less", 52: "period greater", 53: "slash question", 54: "Shift_R",
	55: "KP_Multiply", 56: "Alt_L", 57: "space", 58: "Caps_Lock", 59: "F1", 60: "F2", 61: "F3", 62: "F4", 63: "F5", 64: "F6", 65: "F7", 66: "F8", 67: "F9",
	68: "F10", 69: "Num_Lock", 70: "Scroll_Lock", 71: "KP_7", 72: "KP_8", 73: "KP_9", 74: "KP_Subtract", 75: "KP_4", 76: "KP_5", 77: "KP_6", 78: "KP_Add",
	79: "KP_1", 80: "KP_2", 81: "KP_3", 82: "KP_0", 83: "KP_Decimal", 86: "less greater", 87: "F11", 88: "F12", 96: "KP_Enter", 97: "Control_R",
	98: "KP_Divide", 99: "Print", 100: "ISO_Level3_Shift", 102: "Home", 103: "Up", 104: "Prior", 105: "Left", 106: "Right", 107: "End", 108: "Down",
	109: "Next", 110: "Insert", 111: "Delete", 113: "XF86AudioMute", 114: "XF86AudioLowerVolume", 115: "XF86AudioRaiseVolume", 117: "KP_Equal", 119: "Pause",
	121: "KP_Separator", 125: "Super_L", 126: "Super_R", 127: "Menu", 140: "XF86Calculator", 158: "XF86Back", 159: "XF86Forward", 161: "XF86Eject",
	163: "XF86AudioNext", 164: "XF86AudioPlay", 165: "XF86AudioPrev", 166: "XF86AudioStop", 167: "XF86AudioRecord", 168: "XF86AudioRewind", 173: "XF86Reload",
	183: "F13", 184: "F14", 185: "F15", 186: "F16", 187: "F17", 188: "F18", 189: "F19", 190: "F20", 191: "F21", 192: "F22", 193: "F23", 194: "F24",
	207: "XF86AudioPlay", 208: "XF86AudioForward", 217: "XF86Search", 224: "XF86MonBrightnessDown", 225: "XF86MonBrightnessUp",
	228: "XF86KbdLightOnOff", 229: "XF86KbdBrightnessDown", 230: "XF86KbdBrightnessUp", 248: "XF86AudioMicMute",
}

// US are the names of the keysyms that a key has on a keyboard of the United States, without
// and with Shift; none for keys that no configuration can name.
func US(code uint16) []string { return strings.Fields(us[code]) }

// Meant is the keysym that somebody means who names the key: the character if it has one.
// None: the key itself is meant.
func Meant(code uint16) Sym {
	n := US(code)
	if len(n) == 0 || code == 86 { // left of Z on ISO keyboards: a place, not a character
		return None
	}
	if s := Named(n[0]); s.Rune() > ' ' {
		return s
	}
	return None
}
