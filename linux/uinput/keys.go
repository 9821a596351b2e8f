//go:build linux

package uinput

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Names of the two devices as compositors and their settings show them. They never change:
// users attach layouts and rules to them.
const (
	KeyboardName = "midimon keyboard"
	PointerName  = "midimon pointer"
)

const node = "/dev/uinput"

// Rule is the udev rule that gives /dev/uinput to whoever sits at the seat. It must sort
// before 73-seat-late.rules, which is where logind's access lists are made.
const Rule = `KERNEL=="uinput", SUBSYSTEM=="misc", TAG+="uaccess", OPTIONS+="static_node=uinput"`

const (
	ruleFile = "70-midimon-uinput.rules"
	retag    = "sudo udevadm control --reload && sudo udevadm trigger --action=add --sysname-match=uinput"
)

// Keys presses keys on a keyboard and buttons on a pointer of its own. The zero value is
// ready for Open. The kernel lets go of everything held when the process ends, however it ends.
type Keys struct {
	path     string // of the uinput node; empty: /dev/uinput
	keyboard *device
	pointer  *device
	refused  bool // the last Open found the node and could make no device of it
}

// Name is the check that speaks for it.
func (*Keys) Name() string { return "keys" }

func (k *Keys) node() string {
	if k.path != "" {
		return k.path
	}
	return node
}

// Open makes both devices and waits until udev has told others of them, because keys pressed
// before that are lost. Its error is a *report.Fault that wraps report.ErrKeysUnavailable.
func (k *Keys) Open(ctx context.Context) error {
	keyboard, err := create(k.node(), keyboardTraits())
	if k.refused = err != nil && !isOpenError(err); err != nil {
		return fault(err)
	}
	k.keyboard = keyboard
	k.pointer, err = create(k.node(), pointerTraits())
	if err == nil {
		err = errors.Join(k.keyboard.announced(ctx), k.pointer.announced(ctx))
	}
	if err != nil {
		k.refused = true
		return fault(errors.Join(err, k.Close()))
	}
	return nil
}

// Await returns nil when Open is worth another try, or ctx's error. It sleeps until the node
// appears or its access changes; logind's grants arrive as a change of attributes.
func (k *Keys) Await(ctx context.Context) error {
	path, first := k.node(), k.refused
	return await(ctx, filepath.Dir(path), func() bool {
		if first { // the node opens and yet gives no device: wait for a change of it
			first = false
			return false
		}
		f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return false
		}
		_ = f.Close()
		return true
	})
}

// Do presses (KeyDown) or releases (KeyUp) x's keys in order, each as a frame of its own.
// Other effects are not its business. An error that wraps report.ErrKeysUnavailable means
// that the devices are gone; another one, that nothing was pressed.
func (k *Keys) Do(x *effect.Effect) error {
	var value int32
	switch x.Kind {
	case effect.KeyDown:
		value = 1
	case effect.KeyUp:
	default:
		return nil
	}
	if k.keyboard == nil {
		return fmt.Errorf("cannot press keys: %w", report.ErrKeysUnavailable)
	}
	keys := x.Keys.Keys()
	for _, key := range keys { // first all, so that a chord is pressed whole or not at all
		if !k.device(key).has(key) {
			return fmt.Errorf("cannot press key %d: the device has no such key", key)
		}
	}
	for _, key := range keys {
		if err := k.device(key).key(key, value); err != nil {
			return fmt.Errorf("cannot press keys: %w: %w", report.ErrKeysUnavailable, err)
		}
	}
	return nil
}

// Close removes both devices; the kernel releases what they hold.
func (k *Keys) Close() error {
	var errs []error
	for _, d := range []*device{k.keyboard, k.pointer} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	k.keyboard, k.pointer = nil, nil
	return errors.Join(errs...)
}

func (k *Keys) device(key effect.Key) *device {
	if isButton(key) {
		return k.pointer
	}
	return k.keyboard
}

func isOpenError(err error) bool {
	var e *fs.PathError
	return errors.As(err, &e) && e.Op == "open"
}

// fault says how to mend err.
func fault(err error) error {
	f := &report.Fault{Check: "keys", Fix: "sudo modprobe -r uinput; sudo modprobe uinput", Err: fmt.Errorf("%w: %w", report.ErrKeysUnavailable, err)}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		f.Fix = "sudo modprobe uinput"
	case errors.Is(err, fs.ErrPermission) && installed("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"):
		f.Fix = retag
	case errors.Is(err, fs.ErrPermission):
		f.Fix = "echo '" + Rule + "' | sudo tee /etc/udev/rules.d/" + ruleFile + " && " + retag
	}
	return f
}

func installed(dirs ...string) bool {
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, ruleFile)); err == nil {
			return true
		}
	}
	return false
}
