//go:build linux && desktop

package wayland_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/wayland"
)

const (
	ctrl, shift, keyT = 29, 42, 20
	buttonLeft        = 0x110
)

func connect(t *testing.T, d *desktoptest.Desktop) *wayland.Conn {
	t.Helper()
	c, err := wayland.Dial(t.Context(), filepath.Join(d.Dir, d.Getenv("WAYLAND_DISPLAY")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func keyboard(t *testing.T, d *desktoptest.Desktop) *wayland.Keyboard {
	t.Helper()
	k, err := wayland.NewKeyboard(t.Context(), connect(t, d))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestChordIsSeenByWev(t *testing.T) {
	d := desktoptest.Sway(t)
	k := keyboard(t, d)
	wev := d.Start("stdbuf", "-oL", "wev", "-f", "wl_keyboard")
	d.Front("wev")
	for _, code := range []uint16{ctrl, shift, keyT} {
		must(t, k.Press(code))
	}
	for _, code := range []uint16{keyT, shift, ctrl} {
		must(t, k.Release(code))
	}
	for _, words := range [][]string{
		{"key: 37; state: 1 (pressed)"},
		{"depressed: 00000004: Control"},
		{"key: 50; state: 1 (pressed)"},
		{"depressed: 00000005: Shift Control"},
		{"key: 28; state: 1 (pressed)"},
		{"sym: T "},
		{"key: 28; state: 0 (released)"},
		{"key: 50; state: 0 (released)"},
		{"depressed: 00000004"},
		{"key: 37; state: 0 (released)"},
		{"depressed: 00000000"},
	} {
		wev.Wait(words...)
	}
}

// Text is what it is on every layout, and when the layout is switched in between.
func TestTextInFoot(t *testing.T) {
	for _, layout := range []string{"us", "de", "fr", "pl", "us,ru"} {
		t.Run(layout, func(t *testing.T) {
			d := desktoptest.Sway(t, "input type:keyboard xkb_layout "+layout)
			k := keyboard(t, d)
			term := d.Terminal("text")
			for round := range 2 {
				from := time.Now()
				must(t, k.Type(t.Context(), desktoptest.Text))
				t.Logf("%d characters in %v", len([]rune(desktoptest.Text)), time.Since(from))
				for want := range strings.Lines(desktoptest.Text) {
					if got := term.Line() + "\n"; got != want {
						t.Errorf("round %d: %q, want %q", round, got, want)
					}
				}
				d.Output("swaymsg", "input", "type:keyboard", "xkb_layout", "gr")
			}
		})
	}
}

// More characters than there are keys, and more than a client's buffer takes.
func TestLongText(t *testing.T) {
	d := desktoptest.Sway(t)
	k := keyboard(t, d)
	term := d.Terminal("text")
	var want []string
	for line := range 20 {
		var b strings.Builder
		for i := range 200 {
			b.WriteRune(rune(0x4e00 + 200*line + i))
		}
		want = append(want, b.String())
	}
	must(t, k.Type(t.Context(), strings.Join(want, "\n")+"\n"))
	for i := range want {
		if got := term.Line(); got != want[i] {
			t.Fatalf("line %d is %q", i, got)
		}
	}
	if err := k.Type(t.Context(), "never\x1b"); err == nil || !strings.Contains(err.Error(), "U+001B") {
		t.Errorf("escape is typed: %v", err)
	}
	must(t, k.Press(shift))
	if err := k.Type(t.Context(), "never"); err == nil || !strings.Contains(err.Error(), "Shift_L is held down") {
		t.Errorf("typed with Shift down: %v", err)
	}
	must(t, k.Release(shift))
	must(t, k.Type(t.Context(), "after\n"))
	if got := term.Line(); got != "after" {
		t.Errorf("got %q", got)
	}
}

// TestHelperHolds is run as a process of its own, by the next test.
func TestHelperHolds(t *testing.T) {
	if os.Getenv("MIDIMON_HOLDS") == "" {
		return // it is only half a test
	}
	c, err := wayland.Dial(t.Context(), filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), os.Getenv("WAYLAND_DISPLAY")))
	must(t, err)
	k, err := wayland.NewKeyboard(t.Context(), c)
	must(t, err)
	must(t, c.Sync(t.Context()))
	// A seat whose first keyboard this is tells its clients of it, who then ask for one; nobody says
	// when they have.
	time.Sleep(500 * time.Millisecond)
	must(t, k.Press(keyT))
	must(t, c.Sync(t.Context()))
	fmt.Println("holding")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	select {}
}

func TestCompositorReleasesWhatAKilledClientHeld(t *testing.T) {
	d := desktoptest.Sway(t)
	wev := d.Start("stdbuf", "-oL", "wev", "-f", "wl_keyboard")
	d.Front("wev")
	d.Env = append(slices.Clone(d.Env), "MIDIMON_HOLDS=1")
	exe, err := os.Executable()
	must(t, err)
	copied := d.Write("holds", "")
	data, err := os.ReadFile(exe)
	must(t, err)
	must(t, os.WriteFile(copied, data, 0o755))
	must(t, os.Chmod(copied, 0o755))
	p := d.Start(copied, "-test.run=^TestHelperHolds$", "-test.v")
	p.Wait("holding")
	wev.Wait("key: 28; state: 1 (pressed)")
	p.Kill()
	wev.Wait("key: 28; state: 0 (released)")
}

func TestMouseIsSeenByWev(t *testing.T) {
	d := desktoptest.Sway(t)
	c := connect(t, d)
	screen, err := wayland.NewScreen(c)
	must(t, err)
	p, err := wayland.NewPointer(t.Context(), c, screen)
	must(t, err)
	must(t, c.Sync(t.Context())) // the outputs have said how large they are
	if w, h := screen.Size(); w != 1024 || h != 768 {
		t.Fatalf("the screen is %d by %d", w, h)
	}
	wev := d.Start("stdbuf", "-oL", "wev", "-f", "wl_pointer")
	d.Front("wev")
	place := func() (x, y float64) {
		t.Helper()
		line, _ := wev.Wait("motion: time")
		_, after, _ := strings.Cut(line, "x, y:")
		if _, err := fmt.Sscanf(strings.TrimSpace(after), "%f, %f", &x, &y); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return x, y
	}
	must(t, p.MoveTo(500, 400))
	wev.Wait("enter:")
	must(t, p.MoveTo(800, 410))
	x, y := place()
	for x < 700 { // told again where it was
		x, y = place()
	}
	must(t, p.MoveBy(-30, 25))
	if x2, y2 := place(); x2-x != -30 || y2-y != 25 {
		t.Errorf("moved by %v, %v", x2-x, y2-y)
	}
	must(t, p.MoveTo(890, 300))
	if x2, y2 := place(); x2-x < 89 || x2-x > 91 || y2-y < -111 || y2-y > -109 {
		t.Errorf("moved to %v, %v from %v, %v", x2, y2, x, y)
	}
	must(t, p.Press(buttonLeft))
	wev.Wait("button: 272 (left), state: 1 (pressed)")
	must(t, p.Release(buttonLeft))
	wev.Wait("button: 272 (left), state: 0 (released)")
	must(t, p.Scroll(0, 2))
	wev.Wait("axis: 0 (vertical), value: 30")
	must(t, p.Scroll(-1, 0))
	wev.Wait("axis: 1 (horizontal), value: -15")
	must(t, p.Press(buttonLeft))
	wev.Wait("state: 1 (pressed)")
	must(t, p.Close())
	wev.Wait("state: 0 (released)")
}

// Outputs that come and go are part of the screen at once.
func TestScreenFollowsTheOutputs(t *testing.T) {
	d := desktoptest.Sway(t)
	c := connect(t, d)
	screen, err := wayland.NewScreen(c)
	must(t, err)
	is := func(width, height int32) {
		t.Helper()
		desktoptest.Until(t, fmt.Sprintf("a screen of %d by %d", width, height), func() bool {
			w, h := screen.Size()
			return w == width && h == height
		})
	}
	is(1024, 768)
	d.Output("swaymsg", "create_output")
	d.Output("swaymsg", "output", "HEADLESS-2", "resolution", "800x600", "position", "1024", "0")
	is(1824, 768)
}

func TestEndOfTheCompositor(t *testing.T) {
	d := desktoptest.Sway(t)
	c := connect(t, d)
	k, err := wayland.NewKeyboard(t.Context(), c)
	must(t, err)
	d.Stop()
	select {
	case <-c.Done():
	case <-time.After(desktoptest.Limit):
		t.Fatal("it is not noticed")
	}
	if err := k.Press(keyT); err == nil {
		t.Error("a key is pressed on nothing")
	}
}
