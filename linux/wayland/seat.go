//go:build linux

package wayland

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/linux/keymap"
)

const (
	seatCapabilities = 0
	capableKeyboard  = 2

	seatGetKeyboard = 1

	wlKeyboardKeymap = 0
)

// A Seat tells the keymap that the compositor gives its clients: that of the user's keyboards.
// It is told without a window; which of its layouts is chosen is not.
type Seat struct {
	current atomic.Pointer[keymap.Keymap]
}

// NewSeat watches the keymap of the first seat. There is none before a keyboard is there.
func NewSeat(c *Conn) (*Seat, error) {
	s := &Seat{}
	g, ok := c.Find(seatInterface)
	if !ok {
		return s, nil
	}
	has := false
	_, err := c.Bind(g, 1, func(opcode uint16, a *Args) {
		if opcode != seatCapabilities || a.Uint()&capableKeyboard == 0 || has {
			return
		}
		has = true
		_, _ = c.Create(s.keyboard, func(id uint32) []byte { return Append(nil, a.object, seatGetKeyboard, id) })
	})
	return s, err
}

func (s *Seat) keyboard(opcode uint16, a *Args) {
	if opcode != wlKeyboardKeymap {
		return
	}
	format, fd, size := a.Uint(), a.FD(), a.Uint()
	if fd < 0 {
		return
	}
	if format != keymapText {
		_ = unix.Close(fd)
		return
	}
	text, err := readFD(fd, size, keymap.MaxSize)
	if err != nil {
		return
	}
	if k, err := keymap.Parse(text); err == nil {
		s.current.Store(k)
	}
}

// Keymap is the keymap now; nil if none came.
func (s *Seat) Keymap() *keymap.Keymap { return s.current.Load() }
