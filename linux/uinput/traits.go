//go:build linux

package uinput

import "github.com/amiable-dev/midimon/engine/effect"

// From linux/input-event-codes.h.
const (
	relX, relY            = 0x00, 0x01
	relHWheel, relWheel   = 0x06, 0x08
	relWheelHiRes         = 0x0b
	relHWheelHiRes        = 0x0c
	btnLeft, btnExtra     = 0x110, 0x114
	btnMouse, btnJoystick = 0x110, 0x120
)

// isButton says whether a code is a pointer's.
func isButton(key effect.Key) bool { return key >= btnMouse && key < btnJoystick }

// keyboardTraits has the keys that a configuration can name and no others: what a keyboard
// claims to have decides what the system takes it for. With a power key, for one, logind
// would listen to it.
func keyboardTraits() traits {
	t := traits{name: KeyboardName, product: 1, repeat: true}
	for _, key := range effect.KeyCodes() {
		if !isButton(key) {
			t.keys = append(t.keys, key)
		}
	}
	return t
}

func pointerTraits() traits {
	t := traits{
		name:    PointerName,
		product: 2,
		axes:    []int{relX, relY, relWheel, relHWheel, relWheelHiRes, relHWheelHiRes},
	}
	for key := effect.Key(btnLeft); key <= btnExtra; key++ {
		t.keys = append(t.keys, key)
	}
	return t
}
