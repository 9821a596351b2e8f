//go:build linux

package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/keymap"
)

// From linux/kd.h.
const (
	kdGetMode     = 0x4b3b
	kdGKbMode     = 0x4b44
	kdGKbEnt      = 0x4b46
	kdGKbLed      = 0x4b64
	gioUniScrnMap = 0x4b69
	kdGKbDiacrUC  = 0x4bfa

	kdText           = 0 // of KDGETMODE
	kXlate, kUnicode = 1, 3
	ledCap           = 4
	maxDiacr         = 256 // linux/keyboard.h
)

// textCheck is the check that speaks for text where nothing else can type it.
const textCheck = "text"

// console is the text console in front, which alone gets what the kernel's keys type while there is no
// desktop. Its keymap is the same for all consoles, and anybody may read it who may open one: the user
// whose login is there.
type console struct {
	file    *os.File
	root    string
	unicode bool
}

// openConsole finds it below root. Its error is a *report.Fault.
func openConsole(root string) (*console, error) {
	fail := func(fix string, err error) error { return &report.Fault{Check: textCheck, Fix: fix, Err: err} }
	name, err := os.ReadFile(filepath.Join(root, "sys/class/tty/tty0/active"))
	if err != nil {
		return nil, fail("none: this kernel has no consoles", fmt.Errorf("no desktop says what the keyboard's layout is, and there is no console that does: %w", err))
	}
	path := filepath.Join(root, "dev", filepath.Base(strings.TrimSpace(string(name))))
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		fix := report.Unexplained
		if errors.Is(err, fs.ErrPermission) { // as login does it
			fix = `sudo chown "$USER" ` + path
		}
		return nil, fail(fix, fmt.Errorf("cannot read the keymap of the console in front: %w", err))
	}
	c := &console{file: f, root: root}
	var shows, reads int32
	err = errors.Join(c.ask(kdGetMode, unsafe.Pointer(&shows)), c.ask(kdGKbMode, unsafe.Pointer(&reads)))
	switch fix := report.Unexplained; {
	case err != nil:
		err = fail(fix, fmt.Errorf("cannot read the keymap of %s: %w", path, err))
	case shows != kdText:
		err = fail("bring a text console to the front", fmt.Errorf("%s in front is not a text console, and what is there says no layout", path))
	case reads != kUnicode && reads != kXlate:
		err = fail("sudo kbd_mode -u -C "+path, fmt.Errorf("the keyboard of the console %s is in a mode without characters", path))
	default:
		c.unicode = reads == kUnicode
		return c, nil
	}
	return nil, errors.Join(err, f.Close())
}

func (c *console) ask(what uint, into unsafe.Pointer) error {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = ioctl(fd, what, into) })
	return errors.Join(err, failed)
}

func ioctl(fd uintptr, what uint, into unsafe.Pointer) error {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(what), uintptr(into)); e != 0 {
		return e
	}
	return nil
}

// layout reads the keymap. Nobody tells when another one is loaded, so it is read for each text.
func (c *console) layout() (*keymap.Layout, error) {
	k := &keymap.Console{Unicode: c.unicode}
	var (
		led    byte
		accent struct { // struct kbdiacrsuc
			count uint32
			of    [maxDiacr]keymap.Accent
		}
	)
	err := errors.Join(c.keys(k), c.ask(gioUniScrnMap, unsafe.Pointer(&k.Screen)),
		c.ask(kdGKbDiacrUC, unsafe.Pointer(&accent)), c.ask(kdGKbLed, unsafe.Pointer(&led)))
	if err != nil {
		return nil, fmt.Errorf("cannot read the console's keymap: %w", err)
	}
	k.Accents, k.Caps = accent.of[:min(accent.count, maxDiacr)], led&ledCap != 0
	return k.Layout(), nil
}

func (c *console) keys(k *keymap.Console) error {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	locked := locks(c.root)
	var failed error
	err = raw.Control(func(fd uintptr) {
		for table := range k.Keys {
			for code := range k.Keys[table] {
				entry := struct { // struct kbentry
					table, index uint8
					value        uint16
				}{uint8(table) ^ locked, uint8(code), 0}
				if failed = ioctl(fd, kdGKbEnt, unsafe.Pointer(&entry)); failed != nil {
					return
				}
				k.Keys[table][code] = entry.value
			}
		}
	})
	return errors.Join(err, failed)
}

// lockLamps are the kernel's triggers for lamps of locked modifiers, by the bit of the tables.
var lockLamps = []string{"shiftlock", "altgrlock", "ctrllock", "altlock", "shiftllock", "shiftrlock", "ctrlllock", "ctrlrlock"}

// locks are the modifiers that are locked, as Caps Lock is on consoles where it must work beyond ASCII. Nobody
// says it but a lamp that was told to show it.
func locks(root string) (mask uint8) {
	lamps, _ := filepath.Glob(filepath.Join(root, "sys/class/leds/*::*/trigger"))
	for _, lamp := range lamps {
		triggers, _ := os.ReadFile(lamp)
		_, shows, _ := strings.Cut(string(triggers), "[kbd-")
		shows, _, _ = strings.Cut(shows, "]")
		bit := slices.Index(lockLamps, shows)
		if lit, err := os.ReadFile(filepath.Join(filepath.Dir(lamp), "brightness")); bit >= 0 && err == nil && strings.TrimSpace(string(lit)) != "0" {
			mask |= 1 << bit
		}
	}
	return mask
}

// consoleLayout is what the console in front types.
func consoleLayout() (*keymap.Layout, error) {
	c, err := openConsole("/")
	if err != nil {
		return nil, err
	}
	l, err := c.layout()
	return l, errors.Join(err, c.file.Close())
}

// consoleTypes says why there is none that types.
func consoleTypes() error {
	c, err := openConsole("/")
	if err != nil {
		return err
	}
	return c.file.Close()
}
