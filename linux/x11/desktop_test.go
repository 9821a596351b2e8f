//go:build linux && desktop

package x11_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/keymap"
	"github.com/amiable-dev/midimon/linux/x11"
)

const (
	ctrl, shift, capsLock, enter = 29, 42, 58, 28
	keyA, keyT, keyZ, keyQ       = 30, 20, 44, 16
	buttonLeft, buttonBack       = 0x110, 0x113
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, d *desktoptest.Desktop) *x11.Input {
	t.Helper()
	in, err := x11.Open(t.Context(), d.Getenv("DISPLAY"), "", d.Dir)
	must(t, err)
	t.Cleanup(func() { _ = in.Close() })
	return in
}

// tap presses keys in order and releases them in reverse.
func tap(t *testing.T, in *x11.Input, keys ...uint16) {
	t.Helper()
	var down []uint16
	for _, key := range keys {
		code, err := in.Press(key)
		must(t, err)
		down = append(down, code)
	}
	for i := len(down) - 1; i >= 0; i-- {
		must(t, in.Release(down[i]))
	}
}

func TestChordIsSeenByXev(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	xev := d.Start("stdbuf", "-oL", "xev", "-event", "keyboard")
	d.Front("Event Tester")
	tap(t, in, ctrl, shift, keyT)
	for _, words := range [][]string{
		{"KeyPress"},
		{"state 0x0, keycode 37", "Control_L"},
		{"KeyPress"},
		{"state 0x4, keycode 50", "Shift_L"},
		{"KeyPress"},
		{"state 0x5, keycode 28", "keysym 0x54, T"},
		{"KeyRelease"},
		{"state 0x5, keycode 28"},
		{"KeyRelease"},
		{"state 0x5, keycode 50"},
		{"KeyRelease"},
		{"state 0x4, keycode 37"},
	} {
		xev.Wait(words...)
	}
	// A key that is named by a character is where the layout has it.
	d.Output("setxkbmap", "de")
	desktoptest.Until(t, "z where German has it", func() bool {
		tap(t, in, keyZ)
		line, _ := xev.Wait("keycode")
		xev.Wait("keycode")
		return strings.Contains(line, "keycode 29 (keysym 0x7a, z)")
	})
	d.Output("setxkbmap", "us,de")
	desktoptest.Until(t, "z where the first layout has it", func() bool {
		tap(t, in, keyZ)
		line, _ := xev.Wait("keycode")
		xev.Wait("keycode")
		return strings.Contains(line, "keycode 52 (keysym 0x7a, z)")
	})
}

// Text is what it is on every layout, in the second one too, and when it is switched in between. Most of
// the time it takes is waiting: of ten alphabets' characters there are many times more than keycodes.
func TestTextInXterm(t *testing.T) {
	for layout, next := range map[string]string{"us": "gr", "de": "us,ru", "fr": "gr", "pl": "us,ru", "us,ru": "gr"} {
		t.Run(layout, func(t *testing.T) {
			d := desktoptest.X11(t)
			d.Output("setxkbmap", layout)
			in := open(t, d)
			term := d.Terminal("text")
			for range 2 {
				from := time.Now()
				must(t, in.Type(t.Context(), desktoptest.Text))
				t.Logf("%d characters in %v", len([]rune(desktoptest.Text)), time.Since(from))
				for want := range strings.Lines(desktoptest.Text) {
					if got := term.Line() + "\n"; got != want {
						t.Errorf("%q, want %q", got, want)
					}
				}
				d.Output("setxkbmap", next)
			}
		})
	}
}

// What the kernel's keys type the server tells.
func TestLayout(t *testing.T) {
	d := desktoptest.X11(t)
	open(t, d) // and with it an XTEST keyboard, which is none of the user's
	const keyMinus, altGr = 12, 100
	for layout, want := range map[string]map[rune]keymap.Stroke{
		"us": {'z': {Code: keyZ}, 'T': {Code: keyT, Shift: true}},
		"de": {'y': {Code: keyZ}, 'ß': {Code: keyMinus}, '@': {Code: keyQ, Level3: true}},
		"pl": {'ą': {Code: keyA, Level3: true}, 'Ą': {Code: keyA, Shift: true, Level3: true}},
	} {
		d.Output("setxkbmap", layout)
		desktoptest.Until(t, layout, func() bool {
			l, err := x11.Layout(t.Context(), d.Getenv("DISPLAY"), "")
			must(t, err)
			for r, stroke := range want {
				if got, _ := l.Strokes(r); len(got) != 1 || got[0] != stroke || stroke.Level3 && l.Level3 != altGr {
					return false
				}
			}
			_, ok := l.Strokes('ж')
			return !ok
		})
	}
}

// The second layout is chosen, as by the user's own key.
func TestTextInTheSecondLayout(t *testing.T) {
	d := desktoptest.X11(t)
	d.Output("setxkbmap", "-layout", "us,ru", "-option", "grp:caps_toggle")
	in := open(t, d)
	term := d.Terminal("text")
	desktoptest.Until(t, "the second layout", func() bool {
		tap(t, in, capsLock) // it chooses the next layout
		tap(t, in, keyA)
		tap(t, in, enter)
		return term.Line() == "ф"
	})
	for range 2 {
		must(t, in.Type(t.Context(), desktoptest.Text))
		for want := range strings.Lines(desktoptest.Text) {
			if got := term.Line() + "\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

func TestTextWithCapsLock(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	term := d.Terminal("text")
	d.Output("xdotool", "key", "Caps_Lock")
	const want = "Caps LOCK is on: żŻ €1! äÄ"
	must(t, in.Type(t.Context(), want+"\n"))
	if got := term.Line(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTextThatCannotBe(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	if err := in.Type(t.Context(), "a\x1b"); err == nil || !strings.Contains(err.Error(), "U+001B") {
		t.Errorf("escape is typed: %v", err)
	}
	code, err := in.Press(ctrl)
	must(t, err)
	if err := in.Type(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "held down") {
		t.Errorf("typed with Ctrl down: %v", err)
	}
	// One that the user lets go of soon is waited for.
	go func() {
		time.Sleep(50 * time.Millisecond)
		_ = in.Release(code)
	}()
	term := d.Terminal("text")
	must(t, in.Type(t.Context(), "after\n"))
	if got := term.Line(); got != "after" {
		t.Errorf("got %q", got)
	}
}

// More characters than there are keycodes.
func TestLongText(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	term := d.Terminal("text")
	var b strings.Builder
	for i := range 60 {
		b.WriteRune(rune(0x4e00 + i))
	}
	must(t, in.Type(t.Context(), b.String()+"\n"))
	if got := term.Line(); got != b.String() {
		t.Errorf("got  %q\nwant %q", got, b.String())
	}
	must(t, in.Close())
	if out := d.Output("xmodmap", "-pke"); strings.Contains(out, "U4E") {
		t.Error("keys keep characters that we gave them")
	}
}

// A program that is late gets what was typed all the same. One that does not get to it at all has no text.
func TestTextForOneThatIsLate(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	term := d.Terminal("text")
	term.Signal(syscall.SIGSTOP)
	typed := make(chan error)
	go func() { typed <- in.Type(t.Context(), rare(0x4e00)+"\n") }()
	time.Sleep(time.Second) // it does nothing for longer than keys keep their characters at least
	term.Signal(syscall.SIGCONT)
	must(t, <-typed)
	if got := term.Line(); got != rare(0x4e00) {
		t.Errorf("%q, want %q", got, rare(0x4e00))
	}
	term.Signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := in.Type(ctx, rare(0x5e00)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("typed beyond its time: %v", err)
	}
	term.Signal(syscall.SIGCONT)
}

// One that never rests does not hold up what is behind the text.
func TestTextForOneThatNeverRests(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	d.Start("/usr/bin/python3", "-c", restless)
	d.Front("restless")
	from := time.Now()
	must(t, in.Type(t.Context(), rare(0x4e00)))
	t.Logf("typed in %v", time.Since(from))
}

// restless has a window and looks for events without a pause.
const restless = `
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
Gtk.Window(title="restless").show_all()
while True:
    Gtk.main_iteration_do(False)
`

// rare are characters of which a keyboard has fewer than there are, from one on.
func rare(from rune) string {
	var b strings.Builder
	for r := range rune(40) {
		b.WriteRune(from + r)
	}
	return b.String()
}

func TestMouseIsSeenByXev(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	place := func() string {
		d.Output("true") // the server has done what came before
		x, y, _ := strings.Cut(d.Output("xdotool", "getmouselocation"), " ")
		y, _, _ = strings.Cut(y, " ")
		return x + " " + y
	}
	must(t, in.MoveTo(300, 200))
	if got := place(); got != "x:300 y:200" {
		t.Error(got)
	}
	must(t, in.MoveBy(-50, 25))
	if got := place(); got != "x:250 y:225" {
		t.Error(got)
	}
	xev := d.Start("stdbuf", "-oL", "xev", "-event", "button", "-geometry", "600x600+100+50")
	d.Front("Event Tester")
	tap(t, in, buttonLeft)
	must(t, in.Scroll(0, 2))
	must(t, in.Scroll(-1, 0))
	tap(t, in, buttonBack)
	for _, button := range []string{"1", "5", "5", "6", "8"} {
		xev.Wait("ButtonPress")
		xev.Wait("button " + button + ",")
		xev.Wait("ButtonRelease")
		xev.Wait("button " + button + ",")
	}
}

// TestHelperHolds is run as a process of its own, by the next test.
func TestHelperHolds(t *testing.T) {
	if os.Getenv("MIDIMON_HOLDS") == "" {
		return // it is only half a test
	}
	in, err := x11.Open(t.Context(), os.Getenv("DISPLAY"), "", os.Getenv("XDG_RUNTIME_DIR"))
	must(t, err)
	for _, key := range []uint16{keyQ, buttonLeft} {
		_, err = in.Press(key)
		must(t, err)
	}
	fmt.Println("holding")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	select {}
}

// The server keeps the keys of a client that was killed down; the next one releases them.
func TestNextOneReleasesWhatAKilledOneHeld(t *testing.T) {
	d := desktoptest.X11(t)
	exe, err := os.Executable()
	must(t, err)
	c := d.Command(exe, "-test.run=^TestHelperHolds$", "-test.v")
	c.Env = append(c.Env, "MIDIMON_HOLDS=1")
	p := d.Run(c)
	p.Wait("holding")
	stuck := func() bool {
		keyboard, mouse := d.Output("xinput", "query-state", "Virtual core XTEST keyboard"), d.Output("xinput", "query-state", "Virtual core XTEST pointer")
		return strings.Contains(keyboard, "key[24]=down") || strings.Contains(mouse, "button[1]=down")
	}
	desktoptest.Until(t, "the key is down", stuck)
	p.Kill()
	if !stuck() {
		t.Fatal("the server let go by itself: this test shows nothing")
	}
	in, err := x11.Open(t.Context(), d.Getenv("DISPLAY"), "", d.Dir)
	must(t, err)
	if stuck() {
		t.Error("the key is still down")
	}
	_, err = in.Press(keyQ)
	must(t, err)
	desktoptest.Until(t, "the key is down again", stuck)
	must(t, in.Close())
	if stuck() {
		t.Error("the key is down after Close")
	}
	if _, err := os.Stat(d.Dir + "/held"); err == nil {
		t.Error("the file of what is held is left behind")
	}
}

func TestEndOfTheServer(t *testing.T) {
	d := desktoptest.X11(t)
	in := open(t, d)
	d.Stop()
	select {
	case <-in.Done():
	case <-time.After(desktoptest.Limit):
		t.Fatal("it is not noticed")
	}
	if _, err := in.Press(keyT); err == nil {
		t.Error("a key is pressed on nothing")
	}
	if err := in.Type(t.Context(), "x"); err == nil {
		t.Error("a text is typed on nothing")
	}
}
