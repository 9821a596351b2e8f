//go:build linux && desktop

package keys_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/keys"
)

const (
	ctrl, shift, keyT, keyQ = 29, 42, 20, 16
	buttonLeft              = 0x110
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, d *desktoptest.Desktop) *keys.Backend {
	t.Helper()
	b := keys.New(nil, d.Getenv, slog.New(slog.DiscardHandler))
	must(t, b.Open(t.Context()))
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func chord(kind effect.Kind, keys ...effect.Key) *effect.Effect {
	return &effect.Effect{Kind: kind, Keys: effect.NewChord(keys...), Action: &effect.Keystroke{}}
}

func act(a effect.Action) *effect.Effect { return &effect.Effect{Kind: effect.Act, Action: a} }

func lost(t *testing.T, b *keys.Backend) {
	t.Helper()
	select {
	case <-b.Lost():
	case <-time.After(desktoptest.Limit):
		t.Fatal("it is not noticed")
	}
}

func TestChosenOnX11(t *testing.T) {
	d := desktoptest.X11(t)
	b := open(t, d)
	if got := b.Choice().Message; !strings.HasPrefix(got, "keys, text, mouse by xtest; not wayland: there is no compositor; not uinput:") {
		t.Error(got)
	}
	xev := d.Start("stdbuf", "-oL", "xev", "-event", "keyboard", "-event", "button", "-geometry", "400x400+100+100")
	d.Front("Event Tester")
	must(t, b.Do(chord(effect.KeyDown, ctrl, shift, keyT)))
	must(t, b.Do(chord(effect.KeyUp, keyT, shift, ctrl)))
	xev.Wait("keysym 0x54, T")
	click := effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(buttonLeft), Action: &effect.MouseClick{Place: &effect.Place{X: 300, Y: 310}}}
	must(t, b.Do(&click))
	xev.Wait("root:(300,310)")
	click.Kind = effect.KeyUp
	must(t, b.Do(&click))
	must(t, b.Do(act(&effect.Scroll{Y: 1})))
	xev.Wait("button 5,")
	must(t, b.Do(act(&effect.MouseMove{X: 7, Y: -8})))
	if got := d.Output("xdotool", "getmouselocation"); !strings.HasPrefix(got, "x:307 y:302 ") {
		t.Error(got)
	}
	term := d.Terminal("text")
	must(t, b.Do(act(&effect.Text{Text: "zażółć\n"})))
	if got := term.Line(); got != "zażółć" {
		t.Errorf("got %q", got)
	}
	d.Stop()
	lost(t, b)
	must(t, b.Close())
	if err := b.Do(act(&effect.Text{Text: "x"})); err == nil {
		t.Error("typed on nothing")
	}
}

// The compositor ends and comes back: what is chosen follows, and a text after it is exact.
func TestCompositorRestarts(t *testing.T) {
	d := desktoptest.Sway(t)
	dir := d.Dir
	// As a service that is older than the desktop: only the directory is known.
	b := keys.New(nil, func(name string) string {
		if name == "XDG_RUNTIME_DIR" {
			return dir
		}
		return ""
	}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), desktoptest.Limit)
	defer cancel()
	must(t, b.Open(ctx))
	if got := b.Choice().Message; !strings.HasPrefix(got, "keys, text, mouse by wayland;") {
		t.Fatal(got)
	}
	must(t, b.Do(chord(effect.KeyDown, keyQ)))
	d.Stop()
	lost(t, b)
	must(t, b.Close())
	b.Use("wayland") // whatever else this machine has
	if err := b.Open(ctx); err == nil {
		t.Fatal("opened without a compositor")
	}
	d.Restart()
	for b.Open(ctx) != nil {
		must(t, b.Await(ctx))
	}
	t.Cleanup(func() { _ = b.Close() })
	term := d.Terminal("text")
	must(t, b.Do(act(&effect.Text{Text: "zażółć\n"})))
	if got := term.Line(); got != "zażółć" {
		t.Errorf("got %q", got)
	}
}

// A compositor that comes while something else is in use takes its place.
func TestBetterOneComes(t *testing.T) {
	x := desktoptest.X11(t)
	d := desktoptest.Sway(t)
	later := ""
	b := keys.New(nil, func(name string) string {
		switch name {
		case "DISPLAY":
			return x.Getenv("DISPLAY")
		case "WAYLAND_DISPLAY":
			return later
		}
		return d.Getenv(name)
	}, slog.New(slog.DiscardHandler))
	must(t, b.Open(t.Context()))
	if got := b.Choice().Message; !strings.HasPrefix(got, "keys, text, mouse by xtest;") {
		t.Fatal(got)
	}
	must(t, b.Do(chord(effect.KeyDown, keyQ)))
	b.Use("wayland")
	lost(t, b)
	later = d.Getenv("WAYLAND_DISPLAY")
	must(t, b.Close())
	if out := x.Output("xinput", "query-state", "Virtual core XTEST keyboard"); strings.Contains(out, "=down") {
		t.Error("a key stays down where it was pressed")
	}
	must(t, b.Open(t.Context()))
	defer b.Close() //nolint:errcheck // the test is over
	if got := b.Choice().Message; !strings.HasPrefix(got, "keys, text, mouse by wayland;") {
		t.Error(got)
	}
}

// TestHowFast prints how long an effect takes until a program sees it, beside what the usual tools
// take, in one run. The tools are processes, and that is most of their time. Of virtual mice there is none.
func TestHowFast(t *testing.T) {
	type deed struct {
		name   string
		effect effect.Effect
		see    []string
		title  string
		tool   []string
		words  string // of the line of a press; that of the release has the first four letters
	}
	keys := effect.Effect{Keys: effect.NewChord(ctrl, shift, keyT), Action: &effect.Keystroke{}}
	click := effect.Effect{Keys: effect.NewChord(buttonLeft), Action: &effect.MouseClick{}}
	for _, c := range []struct {
		name    string
		desktop func(testing.TB) *desktoptest.Desktop
		deeds   []deed
	}{
		{"xtest", desktoptest.X11, []deed{
			{"chord", keys, []string{"xev", "-event", "keyboard"}, "Event Tester", []string{"xdotool", "key", "ctrl+shift+t"}, "keysym 0x54, T"},
			{"click", click, []string{"xev", "-event", "button", "-geometry", "800x600+50+50"}, "Event Tester", []string{"xdotool", "click", "1"}, "button 1,"},
		}},
		{"wayland", func(t testing.TB) *desktoptest.Desktop { return desktoptest.Sway(t) }, []deed{
			{"chord", keys, []string{"wev", "-f", "wl_keyboard"}, "wev", []string{"wtype", "-M", "ctrl", "-M", "shift", "T"}, "sym: T "},
			{"click", click, []string{"wev", "-f", "wl_pointer"}, "wev", nil, "button: 272"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := c.desktop(t)
			for _, e := range c.deeds {
				b := open(t, d)
				p := d.Start("stdbuf", append([]string{"-oL"}, e.see...)...)
				d.Front(e.title)
				measure := func(n int, do func()) string {
					var took []time.Duration
					for range n {
						from := time.Now()
						do()
						_, seen := p.Wait(e.words)
						took = append(took, seen.Sub(from))
						p.Wait(e.words[:4])
						time.Sleep(5 * time.Millisecond)
					}
					slices.Sort(took)
					return fmt.Sprintf("p50 %v, p99 %v", took[n/2].Round(time.Microsecond), took[n*99/100].Round(time.Microsecond))
				}
				must(t, b.Do(act(&effect.MouseMove{X: 500, Y: 400, Absolute: true})))
				said := fmt.Sprintf("    %s by %s, effect to seen: %s", e.name, c.name, measure(100, func() {
					down, up := e.effect, e.effect
					down.Kind, up.Kind, up.Keys = effect.KeyDown, effect.KeyUp, reversed(up.Keys)
					must(t, b.Do(&down))
					must(t, b.Do(&up))
				}))
				if e.tool != nil { // while ours is there: a seat whose only keyboard is the tool's loses its first keys
					said += fmt.Sprintf("; %s: %s", e.tool[0], measure(30, func() { d.Output(e.tool[0], e.tool[1:]...) }))
				}
				p.Kill()
				must(t, b.Close())
				fmt.Println(said)
			}
		})
	}
}

func reversed(c effect.Chord) effect.Chord {
	keys := slices.Clone(c.Keys())
	slices.Reverse(keys)
	return effect.NewChord(keys...)
}
