//go:build linux

package uinput

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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
	// burst is after how many events of keys that are typed, and rest for how long, readers may read: what
	// the kernel keeps for them is bounded, 64 events, and dropped when it is too much.
	burst = 32
	rest  = 2 * time.Millisecond
)

// change is one event of a frame.
type change struct {
	kind, code uint16
	value      int32
}

// send writes one frame, or several in one that have their ends in them.
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
	sent := 0
	for _, s := range all {
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
		if err := k.stroke(append(held, effect.Key(s.Code))); err != nil {
			return err
		}
		if sent += 4 * (len(held) + 1); sent >= burst {
			sent = 0
			time.Sleep(rest)
		}
	}
	return nil
}

// stroke presses keys and releases them in reverse, in one write: no time passes in which one of them
// could come to repeat, however busy the machine is.
func (k *Keys) stroke(keys []effect.Key) error {
	if k.keyboard == nil {
		return fmt.Errorf("cannot press keys: %w", report.ErrKeysUnavailable)
	}
	changes := make([]change, 0, 4*len(keys))
	for _, key := range keys {
		if !k.keyboard.has(key) {
			return fmt.Errorf("cannot press key %d: the device has no such key", key)
		}
		changes = append(changes, change{evKey, uint16(key), 1}, change{kind: evSyn})
	}
	for _, key := range slices.Backward(keys) {
		changes = append(changes, change{evKey, uint16(key), 0}, change{kind: evSyn})
	}
	if err := k.keyboard.send(changes[:len(changes)-1]...); err != nil { // which ends with one itself
		return fmt.Errorf("cannot press keys: %w: %w", report.ErrKeysUnavailable, err)
	}
	return nil
}
