//go:build linux && desktop

package keys_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/keys"
	"github.com/amiable-dev/midimon/linux/portal"
)

// TestHelperPortal is run as a process of its own, by the next test: a portal wants to see its caller.
// It does what the lines that it reads say, and answers each with one.
func TestHelperPortal(t *testing.T) {
	if os.Getenv("MIDIMON_PORTAL") == "" {
		return // it is only half a test
	}
	desk := bus.Session(os.Getenv)
	defer desk.Close()
	b := keys.New(desk, os.Getenv, slog.New(slog.DiscardHandler))
	b.Use("portal")
	must(t, b.Open(t.Context()))
	fmt.Println("answer:", b.Choice().Message)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var err error
		what, rest, _ := strings.Cut(in.Text(), " ")
		var x, y int32
		var key effect.Key
		switch what {
		case "text":
			err = b.Do(act(&effect.Text{Text: rest}))
		case "down", "up":
			kind := effect.KeyDown
			if what == "up" {
				kind = effect.KeyUp
			}
			for _, word := range strings.Fields(rest) {
				if _, err = fmt.Sscan(word, &key); err == nil {
					err = b.Do(chord(kind, key))
				}
			}
		case "by":
			_, _ = fmt.Sscan(rest, &x, &y)
			err = b.Do(act(&effect.MouseMove{X: x, Y: y}))
		case "to":
			_, _ = fmt.Sscan(rest, &x, &y)
			err = b.Do(act(&effect.MouseMove{X: x, Y: y, Absolute: true}))
		case "scroll":
			_, _ = fmt.Sscan(rest, &x, &y)
			err = b.Do(act(&effect.Scroll{X: x, Y: y}))
		}
		fmt.Println("answer:", err)
	}
	must(t, b.Close())
}

// helper tells the helper what to do, and returns what it answers.
type helper struct {
	*desktoptest.Program
	in io.WriteCloser
}

func (h helper) do(format string, args ...any) string {
	for {
		_, _ = fmt.Fprintf(h.in, format+"\n", args...)
		if got := h.answer(); got != portal.ErrAsked.Error() { // a slow machine: the session is not there yet
			return got
		}
	}
}

func (h helper) answer() string {
	line, _ := h.Wait("answer: ")
	return strings.TrimPrefix(line, "answer: ")
}

// Plasma lets nobody but its portal press keys, short of the kernel. It does not ask here.
func TestPortalOfPlasma(t *testing.T) {
	d := desktoptest.KWin(t, "us,de")
	start := func() helper {
		c := d.Self("^TestHelperPortal$", "MIDIMON_PORTAL=1")
		in, err := c.StdinPipe()
		must(t, err)
		return helper{d.Run(c), in}
	}
	h := start()
	if got := h.answer(); !strings.HasPrefix(got, "keys, text, mouse by portal; not wayland: the compositor lacks zwp_virtual_keyboard_manager_v1;") {
		t.Error(got)
	}
	if got := h.do("text ж"); !strings.Contains(got, "'ж' (U+0436)") {
		t.Errorf("a character that the layout lacks: %v", got)
	}
	if got := h.do("text ß"); !strings.Contains(got, "'ß' (U+00DF)") {
		t.Errorf("a character of the layout that is not chosen: %v", got)
	}
	d.Output("gdbus", "call", "--session", "-d", "org.kde.keyboard", "-o", "/Layouts", "-m", "org.kde.KeyboardLayouts.setLayout", "uint32 1")
	wev := d.Start("stdbuf", "-oL", "wev")
	wev.Wait("wl_keyboard", "enter")
	for _, step := range []struct{ do, see string }{
		{"down 29", "key: 37; state: 1 (pressed)"},
		{"up 29", "key: 37; state: 0 (released)"},
		{"by -3 2", "motion:"},
		{"down 272", "button: 272 (left), state: 1 (pressed)"},
		{"up 272", "button: 272 (left), state: 0 (released)"},
		{"scroll 0 1", "axis: 0 (vertical)"},
	} {
		if got := h.do("%s", step.do); got != "<nil>" {
			t.Errorf("%s: %s", step.do, got)
		}
		wev.Wait(step.see)
	}
	place := func(to string) (x, y float64) { // as its window has it
		t.Helper()
		if got := h.do("to %s", to); got != "<nil>" {
			t.Fatalf("to %s: %s", to, got)
		}
		line, _ := wev.Wait("motion:")
		_, at, _ := strings.Cut(line, "x, y: ")
		if _, err := fmt.Sscanf(at, "%f, %f", &x, &y); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return x, y
	}
	x, y := place("400 300")
	if toX, toY := place("410 320"); toX-x != 10 || toY-y != 20 {
		t.Errorf("from 400,300 to 410,320 the mouse has gone from %v,%v to %v,%v", x, y, toX, toY)
	}
	if got := h.do("to 5000 20"); !strings.Contains(got, "5000,20: it is on no screen") {
		t.Error(got)
	}
	const text = "KDE Hi@{} yz ßüÄ€"
	if got := h.do("text %s", text); got != "<nil>" {
		t.Fatal(got)
	}
	typed := ""
	for len(typed) < len(text) {
		wev.Wait("wl_keyboard", "(pressed)")
		line, _ := wev.Wait("utf8: '") // empty: a modifier
		_, line, _ = strings.Cut(line, "utf8: '")
		typed += strings.TrimSuffix(line, "'")
	}
	if typed != text {
		t.Errorf("typed %q, want %q", typed, text)
	}
	// What is down when it ends comes up; when it was killed, as soon as there is another.
	for _, end := range []func(){
		func() { _ = h.in.Close() },
		func() { h.Kill() },
	} {
		if got := h.do("down 30"); got != "<nil>" {
			t.Error(got)
		}
		wev.Wait("key: 38; state: 1 (pressed)")
		end()
		h = start()
		h.answer()
		wev.Wait("key: 38; state: 0 (released)")
	}
}
