//go:build linux

package focus

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// An extension is the fake shell's, and does what it is told: the tests of the desktop have one in a
// real shell.
type extension struct {
	*shell
	mu     sync.Mutex
	window string
	fails  *dbus.Error
	hangs  <-chan struct{} // it answers nobody until this is closed
}

const described = `<node><interface name="` + extensionIface + `"><method name="Get"><arg type="s" direction="out"/></method>%</interface></node>`

// extend puts the extension into a shell, without telling anybody, with the first window in front.
func (s *shell) extend() *extension {
	s.t.Helper()
	e := &extension{shell: s, window: first}
	e.enable(`<signal name="FocusChanged"><arg type="s"/></signal>`)
	return e
}

// enable makes it answer, and describe its signals so.
func (e *extension) enable(signals string) {
	e.t.Helper()
	e.export(e.conn, extensionPath, extensionIface, map[string]any{"Get": func() (string, *dbus.Error) {
		e.mu.Lock()
		hangs, window, fails := e.hangs, e.window, e.fails
		e.mu.Unlock()
		if hangs != nil {
			<-hangs
		}
		return window, fails
	}})
	e.describe(strings.Replace(described, "%", signals, 1))
}

func (e *extension) describe(text string) {
	e.t.Helper()
	e.export(e.conn, extensionPath, driver+".Introspectable", map[string]any{"Introspect": func() (string, *dbus.Error) { return text, nil }})
}

// disable takes it away, as the shell does when the screen is locked.
func (e *extension) disable() {
	e.t.Helper()
	for _, iface := range []string{extensionIface, driver + ".Introspectable"} {
		if err := e.conn.Export(nil, extensionPath, iface); err != nil {
			e.t.Fatal(err)
		}
	}
}

// changed says that it has come or gone.
func (e *extension) changed() {
	e.t.Helper()
	if err := e.conn.Emit(shellPath, shellExtensions+"."+stateChanged, "focused-window", map[string]dbus.Variant{}); err != nil {
		e.t.Fatal(err)
	}
}

// front puts a window into front, and says so.
func (e *extension) front(window string) {
	e.t.Helper()
	e.mu.Lock()
	e.window = window
	e.mu.Unlock()
	e.says(window)
}

func (e *extension) says(body ...any) {
	e.t.Helper()
	if err := e.conn.Emit(extensionPath, extensionIface+"."+focusChanged, body...); err != nil {
		e.t.Fatal(err)
	}
}

// tellsOf is what the extension tells of an application.
func tellsOf(app string) Focus { return Focus{App: app, Source: extensionName} }

const (
	first  = `{"title":"one","wm_class":"First.App","wm_class_instance":"first.app","pid":7,"focus":true,"role":null,"area":{}}`
	second = `{"title":"two","wm_class":"second","wm_class_instance":"x","pid":8,"focus":true,"frame_type":0}`
)

func TestExtensionOfGNOME(t *testing.T) {
	s := newShell(t, nil)
	s.registry()
	s.app("One", true, nil)
	e := s.extend()
	until := s.follow()
	until(tellsOf("first.app"))
	e.front(second)
	until(tellsOf("second"))
	e.front("{}")
	until(tellsOf(""))
	e.front(first)
	until(tellsOf("first.app"))
	e.disable() // the screen is locked
	e.changed()
	until(called(t, "One"))
	e.mu.Lock()
	e.window = second
	e.mu.Unlock()
	e.enable(`<signal name="FocusChanged"/>`)
	e.changed()
	until(tellsOf("second")) // rather than AT-SPI
	s.enable(false)
	e.front(first)
	until(tellsOf("first.app"))
	if _, err := s.conn.ReleaseName(gnomeName); err != nil {
		t.Fatal(err)
	}
	until(nowAbove)
	s.own(gnomeName)
	until(tellsOf("first.app"))
	_ = s.conn.Close() // the shell dies
	until(nowAbove)
}

// TestExtensionThatFails has it absent, silent or lying: another tells then, and is followed until the
// shell says that the extension is another now.
func TestExtensionThatFails(t *testing.T) {
	hangs := make(chan struct{})
	t.Cleanup(func() { close(hangs) }) // when all have ended
	for name, breaks := range map[string]func(*extension){
		"absent":                func(e *extension) { e.disable() },
		"silent":                func(e *extension) { e.hangs = hangs },
		"refuses":               func(e *extension) { e.fails = dbus.MakeFailedError(errors.New("TypeError: w is null")) },
		"garbled":               func(e *extension) { e.window = `{"wm_class":"First` },
		"of another type":       func(e *extension) { e.window = `{"wm_class":7}` },
		"no object":             func(e *extension) { e.window = `["First.App"]` },
		"too long":              func(e *extension) { e.window = `{"wm_class":"` + strings.Repeat("x", maxWindow) + `"}` },
		"too deep":              func(e *extension) { e.window = strings.Repeat("[", maxWindow) },
		"no focus":              func(e *extension) { e.window = `{"wm_class":"First.App","focus":false}` },
		"tells of no change":    func(e *extension) { e.enable("") },
		"describes another":     func(e *extension) { e.describe(`<node><interface name="other"/></node>`) },
		"describes itself ill":  func(e *extension) { e.describe(`<node><interface`) },
		"describes itself long": func(e *extension) { e.describe(strings.Repeat(" ", maxWindow+1)) },
		"says a number": func(e *extension) {
			e.disable()
			e.enable(`<signal name="FocusChanged"/>`)
			e.export(e.conn, extensionPath, extensionIface, map[string]any{"Get": func() (int32, *dbus.Error) { return 7, nil }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, nil)
			s.registry()
			s.app("One", true, nil)
			e := s.extend()
			e.mu.Lock()
			breaks(e)
			e.mu.Unlock()
			until := s.follow()
			until(called(t, "One"))
			e.mu.Lock()
			e.hangs, e.fails, e.window = nil, nil, first
			e.mu.Unlock()
			e.disable()
			e.enable(`<signal name="FocusChanged"/>`)
			e.changed()
			until(tellsOf("first.app"))
		})
	}
}

// TestExtensionWhyNot: without another who tells, the reason is the extension's.
func TestExtensionWhyNot(t *testing.T) {
	s := newShell(t, nil)
	e := s.extend()
	e.enable("")
	s.follow()(Focus{Why: extensionName + ": this version of the extension does not tell of changes; AT-SPI: "})
}

// TestExtensionThatLiesLater: what it says while it is followed is no better than what it says first.
func TestExtensionThatLiesLater(t *testing.T) {
	for name, body := range map[string][]any{
		"garbled": {`{"wm_class":`}, "no focus": {`{"focus":false}`}, "a number": {uint32(7)}, "nothing": {}, "much": {first, first},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, nil)
			e := s.extend()
			until := s.follow()
			until(tellsOf("first.app"))
			e.mu.Lock()
			e.window = second // what is so when it is asked
			e.mu.Unlock()
			e.says(body...)
			until(tellsOf("second"))
		})
	}
}

func TestExtensionThatSaysMuch(t *testing.T) {
	s := newShell(t, nil)
	e := s.extend()
	other := s.dial() // who only says that it is the shell
	until := s.follow()
	until(tellsOf("first.app"))
	if err := other.Emit(extensionPath, extensionIface+"."+focusChanged, `{"wm_class":"impostor"}`); err != nil {
		t.Fatal(err)
	}
	if err := other.BusObject().Call(driver+".Peer.Ping", 0).Err; err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		e.front(first)
		e.front("{}")
		e.changed()
	}
	e.front(second)
	until(tellsOf("second"))
	e.front(first)
	until(tellsOf("first.app"))
}

// TestNewsOfTheExtension: who is to be asked stays to be asked, and of texts the last counts.
func TestNewsOfTheExtension(t *testing.T) {
	a, b := news{window: "a"}, news{window: "b"}
	for _, c := range []struct{ was, now, want news }{{a, b, b}, {a, ask, ask}, {ask, a, ask}, {ask, ask, ask}} {
		if got := truer(c.was, c.now); got != c.want {
			t.Errorf("%+v, %+v: %+v, want %+v", c.was, c.now, got, c.want)
		}
	}
	e := extended{shell: ":1.1"}
	for _, s := range []*dbus.Signal{
		{Sender: ":1.2", Path: extensionPath, Name: extensionIface + "." + focusChanged, Body: []any{first}},
		{Sender: ":1.1", Path: "/other", Name: extensionIface + "." + focusChanged, Body: []any{first}},
		{Sender: ":1.1", Path: extensionPath, Name: extensionIface + ".Other", Body: []any{first}},
		{Sender: ":1.2", Path: shellPath, Name: shellExtensions + "." + stateChanged},
	} {
		if n, ok := e.hear(s); ok {
			t.Errorf("%+v: heard %+v", s, n)
		}
	}
}

func TestAppOfWindow(t *testing.T) {
	for window, want := range map[string]string{
		first: "First.App", second: "second", "": "", "{}": "", "null": "",
		`{"title":"x","wm_class":null,"wm_class_instance":null}`: "", `{"wm_class":null,"wm_class_instance":"half"}`: "half",
	} {
		if app, err := appOfWindow(window); err != nil || app != want {
			t.Errorf("%s: %q, %v; want %q", window, app, err, want)
		}
	}
}

func FuzzAppOfWindow(f *testing.F) {
	f.Add(first)
	f.Add("{}")
	f.Add(`{"wm_class":7}`)
	f.Fuzz(func(t *testing.T, window string) {
		if app, err := appOfWindow(window); err != nil && app != "" {
			t.Errorf("%q and %v", app, err)
		}
	})
}
