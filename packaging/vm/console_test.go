//go:build linux && vm

package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// tty is the console of the user's login, where a shell reads.
const tty = "/dev/tty1"

// The texts have a line of what the keymap in question can, ten times, every character of ASCII that is printed,
// and what it can beyond that.
const (
	ascii    = ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_` + "`" + `abcdefghijklmnopqrstuvwxyz{|}~`
	accented = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
)

var (
	asciiText  = ten("Hello {yz@~[]|}") + ascii + "\nend\n"
	latinText  = ten("Hello {yz@~[]|} ó ß") + ascii + accented + "\nend\n"
	germanText = ten("Hello {yz@~[]|} ß") + ascii + "\näöüÄÖÜß§°²³µ¤¢\t.\nend\n"
	deadText   = ten("Hello {yz@~[]|} óß") + ascii + "\nâÊñÕàÈé\nend\n"
)

func ten(line string) string { return strings.Repeat(line+"\n", 10) }

// screen is the user's shell, and the pads that type there.
type screen struct {
	c *controller
	b *bus
}

// types has sed(1) write what a pad types, to its end.
func (s *screen) types(t *testing.T, pad byte, want string) {
	t.Helper()
	s.typed(t, want, func() { s.c.tap(t, pad, 100) })
}

// typed has sed(1) write what is typed meanwhile.
func (s *screen) typed(t *testing.T, want string, press func()) {
	t.Helper()
	const written, whole = "/home/tester/typed.new", "/home/tester/typed"
	_, _ = os.Remove(written), os.Remove(whole)
	s.c.tap(t, 36, 100)
	waitFor(t, "/home/tester", written, func() bool { _, err := os.Stat(written); return err == nil })
	press()
	waitFor(t, "/home/tester", whole, func() bool { _, err := os.Stat(whole); return err == nil })
	got, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("typed %q\nwant  %q", got, want)
	}
}

// fails hears why what a pad types cannot be typed.
func (s *screen) fails(t *testing.T, pad byte, mapping string) (why string) {
	t.Helper()
	time.Sleep(1100 * time.Millisecond) // more than two failures a second are not told, and nothing else fails now
	s.c.tap(t, pad, 100)
	return s.b.failed(t, mapping, "action-failed")
}

func TestTextOnTheConsole(t *testing.T) {
	var config strings.Builder
	config.WriteString("[device]\nname = \"LPD8\"\n")
	for _, m := range []struct {
		note         int
		name, action string
	}{
		{36, "sed", `{ type = "Sequence", actions = [
			{ type = "Keystroke", keys = "e", modifiers = ["ctrl"] }, # what other tests have typed into the shell goes
			{ type = "Keystroke", keys = "u", modifiers = ["ctrl"] },
			{ type = "Text", text = "sed '/^end$/q' >typed.new && mv typed.new typed\n" },
		] }`},
		{38, "ascii", fmt.Sprintf("{ type = \"Text\", text = %q }", asciiText)},
		{39, "latin", fmt.Sprintf("{ type = \"Text\", text = %q }", latinText)},
		{40, "german", fmt.Sprintf("{ type = \"Text\", text = %q }", germanText)},
		{41, "dead", fmt.Sprintf("{ type = \"Text\", text = %q }", deadText)},
		{42, "polish", `{ type = "Text", text = "abcż\n" }`},
		{43, "sharp", `{ type = "Text", text = "abcß\n" }`},
		{45, "letters", `{ type = "Text", text = "Hello Console\nend\n" }`},
		{46, "nudge", `{ type = "MouseMove", x = 1, y = 0 }`},
		{44, "caps", `{ type = "Keystroke", keys = "capslock" }`},
	} {
		fmt.Fprintf(&config, "[[global_mappings]]\nname = %q\ntrigger = { type = \"Note\", note = %d }\naction = %s\n", m.name, m.note, m.action)
	}
	c := plug(t)
	b := service(t)
	configure(t, config.String())
	usable := func() {
		t.Helper()
		b.await(t, "ConnectedDevices", soon, equals("[LPD8]"))
		until(t, "there is no keyboard", func() bool {
			return b.conn.Object(busName, rootObject).Call(busName+".Mappings.Trigger", dbus.FlagNoAutoStart, "nudge").Err == nil
		})
		noRepeat(t)
	}
	usable()
	saved := root(t, "dumpkeys", "-C", tty)
	t.Cleanup(func() {
		root(t, "kbd_mode", "-u", "-C", tty)
		load(t, saved)
	})
	s := &screen{c, b}

	t.Run("the kernel's own keymap", func(t *testing.T) { s.types(t, 39, latinText) })
	t.Run("us", func(t *testing.T) {
		root(t, "loadkeys", "-q", "-C", tty, "us")
		s.types(t, 38, asciiText)
	})
	t.Run("german", func(t *testing.T) {
		root(t, "loadkeys", "-q", "-C", tty, "de-latin1-nodeadkeys")
		s.types(t, 40, germanText)
	})
	t.Run("german with dead keys", func(t *testing.T) {
		root(t, "loadkeys", "-q", "-C", tty, "de-latin1")
		s.types(t, 41, deadText)
		s.types(t, 40, germanText)
	})
	t.Run("caps lock", func(t *testing.T) {
		c.tap(t, 44, 100)
		s.types(t, 41, deadText)
		c.tap(t, 44, 100)
	})
	t.Run("what no key types", func(t *testing.T) {
		has(t, s.fails(t, 42, "polish"), "'ż' (U+017C)")
	})
	t.Run("without Unicode", func(t *testing.T) {
		root(t, "kbd_mode", "-a", "-C", tty)
		defer root(t, "kbd_mode", "-u", "-C", tty)
		why := s.fails(t, 43, "sharp")
		has(t, why, "'ß' (U+00DF)")
		has(t, why, "kbd_mode -u")
		root(t, "loadkeys", "-q", "-C", tty, "us")
		s.types(t, 38, asciiText)
	})
	t.Run("letters that a modifier locks", func(t *testing.T) { // as where Caps Lock must work beyond ASCII
		keymap := "plain keycode 58 = CtrlL_Lock\n"
		for _, held := range [...]string{"ctrll", "shift ctrll"} {
			for code, name := range map[int]string{28: "Return", 42: "Shift", 57: "space", 58: "CtrlL_Lock"} {
				keymap += fmt.Sprintf("%s keycode %d = %s\n", held, code, name)
			}
			for first, row := range map[int]string{16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM"} {
				if held != "ctrll" {
					row = strings.ToLower(row)
				}
				for i, letter := range row {
					keymap += fmt.Sprintf("%s keycode %d = %c\n", held, first+i, letter)
				}
			}
		}
		load(t, keymap)
		lamps, _ := filepath.Glob("/sys/class/leds/*::capslock")
		if len(lamps) == 0 {
			t.Fatal("no keyboard here has the lamp")
		}
		set := func(trigger string) {
			for _, lamp := range lamps {
				if err := os.WriteFile(lamp+"/trigger", []byte(trigger), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		set("kbd-ctrlllock")
		defer set("kbd-capslock")
		lit := func(want string) {
			until(t, "the lamp is not "+want, func() bool {
				is, err := os.ReadFile(lamps[0] + "/brightness")
				return err == nil && strings.TrimSpace(string(is)) == want
			})
		}
		s.typed(t, "Hello Console\nend\n", func() {
			c.tap(t, 44, 100)
			lit("1")
			c.tap(t, 45, 100)
			c.tap(t, 44, 100)
			lit("0")
		})
		s.types(t, 45, "Hello Console\nend\n")
	})
	t.Run("a console that is somebody else's", func(t *testing.T) {
		row := func(is bool) func(any) bool {
			return func(v any) bool { return v != nil && strings.Contains(fmt.Sprint(v), "no text is typed: ") == is }
		}
		root(t, "chown", "root", tty)
		defer root(t, "chown", "tester", tty)
		must(t, "systemctl", "--user", "restart", "midimon")
		usable()
		b.await(t, "Health", soon, row(true)) // nobody has pressed anything
		health, _ := b.get("Health")
		has(t, fmt.Sprint(health), `sudo chown "$USER" `+tty)
		doctor, _ := user(t, "midimonctl", "doctor")
		has(t, doctor, `sudo chown "$USER" `+tty)
		has(t, s.fails(t, 38, "ascii"), "cannot read the keymap of the console in front")
		root(t, "chown", "tester", tty)
		s.types(t, 38, asciiText)
		b.await(t, "Health", soon, row(false))
		root(t, "chown", "root", tty)
		c.tap(t, 38, 100)
		b.await(t, "Health", soon, row(true))
	})
	listen(t, "midimon keyboard").up(t)
}

// noRepeat has keys repeat only when they are held for a minute: an emulated machine may stand still for longer
// than the quarter of a second that is usual, with a key down.
func noRepeat(t *testing.T) {
	t.Helper()
	const setRepeat = 0x40084503 // EVIOCSREP: delay and period, in ms
	f, err := os.Open(node("midimon keyboard"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	rates := [2]uint32{60_000, 33}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), setRepeat, uintptr(unsafe.Pointer(&rates))); e != 0 {
		t.Fatal(e)
	}
}

// until waits for what nobody tells of.
func until(t *testing.T, not string, ok func() bool) {
	t.Helper()
	for over := time.Now().Add(soon); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(over) {
			t.Fatalf("%s after %v", not, soon)
		}
	}
}

// load loads a keymap, or what is to change of the present one.
func load(t *testing.T, keymap string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keymap")
	if err := os.WriteFile(path, []byte(keymap), 0o600); err != nil {
		t.Fatal(err)
	}
	root(t, "loadkeys", "-q", "-C", tty, path)
}
