//go:build linux

package uinput

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/keymap"
)

const (
	keyLeftShift = 42
	keyLeftCtrl  = 29
	// hiRes is one notch of a wheel in the finer unit, which newer readers prefer.
	hiRes = 120
	// burst is how many keys are typed at once, and rest for how long readers may then read: what
	// the kernel keeps for them is bounded, and dropped when it is too much.
	burst = 8
	rest  = 2 * time.Millisecond
)

// change is one event of a frame.
type change struct {
	kind, code uint16
	value      int32
}

// send writes one frame.
func (d *device) send(changes ...change) error {
	b := make([]byte, (len(changes)+1)*eventSize) // the last is SYN_REPORT, all zero
	for i, c := range changes {
		e := b[i*eventSize:]
		binary.NativeEndian.PutUint16(e[16:], c.kind)
		binary.NativeEndian.PutUint16(e[18:], c.code)
		binary.NativeEndian.PutUint32(e[20:], uint32(c.value))
	}
	return d.control(func(fd int) error {
		n, err := unix.Write(fd, b)
		if err == nil && n < len(b) {
			err = errors.New("a frame was written in part")
		}
		return err
	})
}

func (k *Keys) gone(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot use the mouse: %w: %w", report.ErrKeysUnavailable, err)
}

// Has says whether there is such a key or button.
func (k *Keys) Has(key effect.Key) bool { return k.keyboard != nil && k.device(key).has(key) }

// Key presses or releases one key or button.
func (k *Keys) Key(key effect.Key, down bool) error {
	x := effect.Effect{Kind: effect.KeyUp, Keys: effect.NewChord(key)}
	if down {
		x.Kind = effect.KeyDown
	}
	return k.Do(&x)
}

// MoveBy moves the mouse by so many units, which are pixels where nobody accelerates them.
func (k *Keys) MoveBy(x, y int32) error {
	if k.pointer == nil {
		return k.gone(errors.New("there is no device"))
	}
	return k.gone(k.pointer.send(change{evRel, relX, x}, change{evRel, relY, y}))
}

// Scroll turns the wheel by so many notches, down and right if positive.
func (k *Keys) Scroll(x, y int32) error {
	if k.pointer == nil {
		return k.gone(errors.New("there is no device"))
	}
	var changes []change
	if y != 0 { // the kernel's wheel counts upwards
		changes = append(changes, change{evRel, relWheel, -y}, change{evRel, relWheelHiRes, -y * hiRes})
	}
	if x != 0 {
		changes = append(changes, change{evRel, relHWheel, x}, change{evRel, relHWheelHiRes, x * hiRes})
	}
	if len(changes) == 0 {
		return nil
	}
	return k.gone(k.pointer.send(changes...))
}

// Type types a text on a layout, which must be the one that whoever reads the keyboard uses. An
// *keymap.Untypable means that nothing was typed.
func (k *Keys) Type(text string, l *keymap.Layout) error {
	var all []keymap.Stroke
	for _, r := range text {
		s, ok := l.Strokes(r)
		if !ok {
			return &keymap.Untypable{Rune: r, Why: cmp.Or(l.Lacks, "the keyboard's layout has no key for it")}
		}
		all = append(all, s...)
	}
	for i, s := range all {
		held := make([]effect.Key, 0, 4)
		if s.Control {
			held = append(held, keyLeftCtrl)
		}
		if s.Shift {
			held = append(held, keyLeftShift)
		}
		if s.Level3 {
			held = append(held, effect.Key(l.Level3))
		}
		held = append(held, effect.Key(s.Code))
		for _, key := range held {
			if err := k.Key(key, true); err != nil {
				return err
			}
		}
		for j := len(held) - 1; j >= 0; j-- {
			if err := k.Key(held[j], false); err != nil {
				return err
			}
		}
		if i%burst == burst-1 {
			time.Sleep(rest)
		}
	}
	return nil
}
