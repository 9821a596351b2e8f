//go:build linux

package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/keymap"
)

const limit = 20 * time.Second

// fake is a way that notes what it does, and fails when told to.
type fake struct {
	did  []string
	fail error
	gone chan struct{}
}

func (f *fake) note(format string, args ...any) error {
	if f.fail != nil {
		return f.fail
	}
	f.did = append(f.did, fmt.Sprintf(format, args...))
	return nil
}

func (f *fake) has(key effect.Key) bool                       { return key != 99 }
func (f *fake) press(key effect.Key) error                    { return f.note("down %d", key) }
func (f *fake) release(key effect.Key) error                  { return f.note("up %d", key) }
func (f *fake) typeText(_ context.Context, text string) error { return f.note("type %s", text) }
func (f *fake) moveBy(x, y int32) error                       { return f.note("by %d %d", x, y) }
func (f *fake) moveTo(x, y int32) error                       { return f.note("to %d %d", x, y) }
func (f *fake) scroll(x, y int32) error                       { return f.note("scroll %d %d", x, y) }
func (f *fake) lost() <-chan struct{}                         { return f.gone }
func (f *fake) close() error                                  { return f.note("close") }

// opened is a back end with fakes for keys and text, and for the mouse.
func opened() (b *Backend, keys, mouse *fake) {
	b = New(nil, func(string) string { return "" }, slog.New(slog.DiscardHandler))
	keys, mouse = &fake{gone: make(chan struct{})}, &fake{gone: make(chan struct{})}
	b.ways = map[string]way{byWayland: keys, byUinput: mouse}
	b.chosen = choice{keys: byWayland, text: byWayland, mouse: byUinput}
	return b, keys, mouse
}

func TestEachGoesItsWay(t *testing.T) {
	b, keys, mouse := opened()
	chord, button := effect.NewChord(29, 20), effect.NewChord(0x110)
	for _, x := range []effect.Effect{
		{Kind: effect.KeyDown, Keys: chord, Action: &effect.Keystroke{}},
		{Kind: effect.KeyUp, Keys: effect.NewChord(20, 29), Action: &effect.Keystroke{}},
		{Kind: effect.KeyUp, Keys: chord, Action: &effect.Keystroke{}}, // it is up
		{Kind: effect.KeyDown, Keys: button, Action: &effect.MouseClick{Place: &effect.Place{X: 5, Y: 6}}},
		{Kind: effect.KeyUp, Keys: button, Action: &effect.MouseClick{Place: &effect.Place{X: 5, Y: 6}}},
		{Kind: effect.Act, Action: &effect.Text{Text: "ż"}},
		{Kind: effect.Act, Action: &effect.MouseMove{X: 1, Y: -2}},
		{Kind: effect.Act, Action: &effect.MouseMove{X: 1, Y: -2}, Steps: -3},
		{Kind: effect.Act, Action: &effect.MouseMove{X: 1, Y: 2, Absolute: true}},
		{Kind: effect.Act, Action: &effect.Scroll{Y: 2}, Steps: 2},
		{Kind: effect.Act, Action: &effect.Panic{}},
		{Kind: effect.ModeChanged},
	} {
		if x.Kind == effect.Act && !b.Performs(x.Action) {
			continue
		}
		if err := b.Do(&x); err != nil {
			t.Errorf("%+v: %v", x, err)
		}
	}
	if want := []string{"down 29", "down 20", "up 20", "up 29", "type ż"}; !slices.Equal(keys.did, want) {
		t.Errorf("keys: %q, want %q", keys.did, want)
	}
	if want := []string{"to 5 6", "down 272", "up 272", "by 1 -2", "by -3 6", "to 1 2", "scroll 0 4"}; !slices.Equal(mouse.did, want) {
		t.Errorf("mouse: %q, want %q", mouse.did, want)
	}
}

func TestChordIsPressedWholeOrNotAtAll(t *testing.T) {
	b, keys, _ := opened()
	err := b.Do(&effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(29, 99)})
	if err == nil || errors.Is(err, report.ErrKeysUnavailable) || keys.did != nil {
		t.Errorf("%v, %q", err, keys.did)
	}
}

func TestCloseReleasesWhatIsDown(t *testing.T) {
	b, keys, mouse := opened()
	for _, key := range []effect.Key{29, 0x110, 20} {
		if err := b.Do(&effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(key)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"down 29", "down 20", "up 20", "up 29", "close"}; !slices.Equal(keys.did, want) {
		t.Errorf("keys: %q, want %q", keys.did, want)
	}
	if want := []string{"down 272", "up 272", "close"}; !slices.Equal(mouse.did, want) {
		t.Errorf("mouse: %q, want %q", mouse.did, want)
	}
}

func TestFailures(t *testing.T) {
	text := &effect.Effect{Kind: effect.Act, Action: &effect.Text{Text: "x"}}
	down := &effect.Effect{Kind: effect.KeyDown, Keys: effect.NewChord(29)}
	b, keys, _ := opened()
	keys.fail = errors.New("broken")
	if err := b.Do(down); !errors.Is(err, report.ErrKeysUnavailable) {
		t.Errorf("a key that cannot be pressed: %v", err)
	}
	if err := b.Do(text); err == nil || errors.Is(err, report.ErrKeysUnavailable) {
		t.Errorf("a text that cannot be typed: %v", err)
	}
	close(keys.gone)
	if err := b.Do(text); !errors.Is(err, report.ErrKeysUnavailable) {
		t.Errorf("a text when the way is gone: %v", err)
	}
	keys.fail = &keymap.Untypable{Rune: 'ł', Why: "it is so"}
	if err := b.Do(text); err == nil || !strings.Contains(err.Error(), "'ł' (U+0142)") {
		t.Errorf("a character that cannot be typed: %v", err)
	}
	b.chosen.text = ""
	if err := b.Do(text); err == nil || !strings.Contains(err.Error(), "Text") {
		t.Errorf("text without a way: %v", err)
	}
}

// world of a machine where nothing is but what the test opens.
func alone(t *testing.T) (b *Backend, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "midimon") //nolint:usetesting // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	env := map[string]string{"XDG_RUNTIME_DIR": dir, "WAYLAND_DISPLAY": "wayland-0"}
	return New(nil, func(name string) string { return env[name] }, slog.New(slog.DiscardHandler)), dir
}

func TestAnotherWayIsChosenAtOnce(t *testing.T) {
	b, _ := alone(t)
	b.Use(byWayland)
	err := b.Open(t.Context())
	if f, ok := errors.AsType[*report.Fault](err); !ok || !errors.Is(err, report.ErrKeysUnavailable) || f.Check != "keys" {
		t.Fatalf("opened what is not there: %v", err)
	}
	if c := b.Choice(); c.Status != report.Failed || !strings.Contains(c.Message, "not wayland: cannot reach the compositor") {
		t.Errorf("%+v", c)
	}
	done := make(chan error)
	go func() { done <- b.Await(t.Context()) }()
	b.Use(byXTest)
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(limit):
		t.Fatal("nobody hears of it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- b.Await(ctx) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNoKeyboardWithoutASession(t *testing.T) {
	b := New(nil, func(string) string { return "" }, slog.New(slog.DiscardHandler))
	b.Use(byUinput)
	b.Present(true) // as before
	b.Present(false)
	if err := b.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "not uinput: no session of yours is at a seat") {
		t.Fatalf("opened: %v", err)
	}
	done := make(chan error)
	go func() { done <- b.Await(t.Context()) }()
	b.Present(true)
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(limit):
		t.Fatal("nobody hears of it")
	}
	// What is open is given up.
	keyboard := &fake{gone: make(chan struct{})}
	b.ways, b.gone, b.watched = map[string]way{byUinput: keyboard}, make(chan struct{}), make(chan struct{})
	go b.watch(t.Context(), &world{}, b.gone, b.watched)
	b.Present(false)
	select {
	case <-b.Lost():
	case <-time.After(limit):
		t.Fatal("the keyboard stays")
	}
	<-b.watched
}

func TestSocketsAreSeen(t *testing.T) {
	b, dir := alone(t)
	happens := b.happenings(t.Context())
	time.Sleep(10 * time.Millisecond)
	for end := time.Now().Add(limit); ; {
		if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "wayland-1"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		select {
		case <-happens:
			return
		case <-time.After(20 * time.Millisecond):
			_ = os.Remove(filepath.Join(dir, "wayland-1"))
		}
		if time.Now().After(end) {
			t.Fatal("a socket that comes is not seen")
		}
	}
}

// The directory of the session's sockets comes with the first login, and goes with the last.
func TestDirectoryOfSocketsComesLater(t *testing.T) {
	b, dir := alone(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	happens := b.happenings(t.Context())
	for range 2 {
		over := time.After(limit)
		for seen := false; !seen; { // nobody says that it is watched
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			select {
			case <-happens:
				seen = true
			case <-time.After(20 * time.Millisecond):
				_ = os.Remove(dir)
			case <-over:
				t.Fatal("the directory is not seen")
			}
		}
		time.Sleep(10 * time.Millisecond)
		for len(happens) > 0 {
			<-happens
		}
		if err := os.WriteFile(filepath.Join(dir, "wayland-1"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		select {
		case <-happens:
		case <-time.After(limit):
			t.Fatal("a socket in it is not seen")
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCapsLock(t *testing.T) {
	dir := t.TempDir()
	for name, lit := range map[string]string{"input3::capslock": "0\n", "input4::numlock": "1\n"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "brightness"), []byte(lit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if capsLock(dir) {
		t.Error("it is off")
	}
	if err := os.WriteFile(filepath.Join(dir, "input3::capslock", "brightness"), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !capsLock(dir) {
		t.Error("it is on")
	}
}
