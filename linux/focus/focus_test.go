//go:build linux

package focus

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

func TestFocusedNode(t *testing.T) {
	for _, c := range []struct{ tree, want string }{
		{`{}`, ""},
		{`{"nodes":[{"type":"workspace","focused":true}]}`, ""}, // an empty workspace
		{`{"nodes":[{"app_id":"foot"},{"nodes":[{"focused":true,"app_id":"org.gnome.Calc","window":null}]}]}`, "org.gnome.Calc"},
		{`{"nodes":[{"floating_nodes":[{"focused":true,"app_id":null,"window":12,"window_properties":{"class":"XTerm"}}]}]}`, "XTerm"},
	} {
		var n node
		if err := json.Unmarshal([]byte(c.tree), &n); err != nil || n.focused() != c.want {
			t.Errorf("%s: %q, %v; want %q", c.tree, n.focused(), err, c.want)
		}
	}
}

func message(kind uint32, text string) []byte {
	b := binary.NativeEndian.AppendUint32([]byte(ipcMagic), uint32(len(text)))
	return append(binary.NativeEndian.AppendUint32(b, kind), text...)
}

func FuzzSway(f *testing.F) {
	f.Add(message(ipcGetTree, `{"nodes":[{"focused":true,"app_id":"foot"}]}`))
	f.Add(message(ipcWindow, `{"change":"focus"}`))
	f.Add([]byte("i3-ipc\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for r := bytes.NewReader(b); ; {
			kind, text, err := receive(r)
			if err != nil {
				return
			}
			if len(text) > len(b) {
				t.Error("more text than there was")
			}
			var n node
			if kind == ipcGetTree && json.Unmarshal(text, &n) == nil {
				n.focused()
			}
		}
	})
}

// lines are what a follower tells of a text.
func lines(follow func(tell func(string)) error) (told []string, err error) {
	err = follow(func(app string) { told = append(told, app) })
	return told, err
}

func TestHyprland(t *testing.T) {
	const text = "workspace>>2\nactivewindow>>firefox,a, b\nactivewindowv2>>55\nactivewindow>>,\nbroken\n"
	told, err := lines(func(tell func(string)) error { return followHyprland(strings.NewReader(text), tell) })
	if want := []string{"firefox", ""}; err != nil || !slices.Equal(told, want) {
		t.Errorf("%q, %v; want %q", told, err, want)
	}
}

func TestNiri(t *testing.T) {
	const text = `{"Ok":"Handled"}
{"WorkspacesChanged":{"workspaces":[]}}
{"WindowsChanged":{"windows":[{"id":1,"title":"x","app_id":"foot","is_focused":false},{"id":2,"app_id":"firefox","is_focused":true}]}}
{"WindowFocusChanged":{"id":1}}
{"WindowOpenedOrChanged":{"window":{"id":3,"app_id":"mpv","is_focused":true}}}
{"WindowClosed":{"id":3}}
{"WindowFocusChanged":{"id":2}}
{"WindowFocusChanged":{"id":null}}
`
	told, err := lines(func(tell func(string)) error { return followNiri(strings.NewReader(text), tell) })
	if want := []string{"firefox", "foot", "mpv", "", "firefox", ""}; err != nil || !slices.Equal(told, want) {
		t.Errorf("%q, %v; want %q", told, err, want)
	}
	for _, bad := range []string{"{\"Err\":\"no\"}\n", "nonsense\n"} {
		if told, err := lines(func(tell func(string)) error { return followNiri(strings.NewReader(bad), tell) }); err == nil || told != nil {
			t.Errorf("%q: %q, %v", bad, told, err)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("activewindow>>a,b\n"))
	f.Add([]byte(`{"WindowsChanged":{"windows":[{"id":1,"app_id":"a","is_focused":true}]}}` + "\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = followHyprland(bytes.NewReader(b), func(string) {})
		_ = followNiri(bytes.NewReader(b), func(string) {})
	})
}

func TestClass(t *testing.T) {
	for v, want := range map[string]string{"": "", "one": "", "xterm\x00XTerm\x00": "XTerm", "a\x00b": "b"} {
		if got := class([]byte(v)); got != want {
			t.Errorf("%q: %q", v, got)
		}
	}
}

// KWin tells of no window between two, and its calls may overtake each other.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, gone, told := make(chan active, 8), make(chan struct{}), make(chan string, 8)
		ended := make(chan error)
		go func() { ended <- order(gone, calls, func(app string) { told <- app }) }()
		for _, c := range []active{{1, "a"}, {2, ""}, {4, "c"}, {3, "b"}} {
			calls <- c
		}
		synctest.Wait()
		time.Sleep(overtake)
		calls <- active{5, ""}
		time.Sleep(overtake - 1)
		synctest.Wait()
		if len(told) != 2 {
			t.Errorf("%d told", len(told))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		close(gone)
		if err := <-ended; err == nil {
			t.Error("no error")
		}
		close(told)
		var all []string
		for app := range told {
			all = append(all, app)
		}
		if want := []string{"a", "c", ""}; !slices.Equal(all, want) {
			t.Errorf("%q, want %q", all, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if err := order(make(chan struct{}), make(chan active), nil); err == nil {
			t.Error("a script that says nothing")
		}
	})
}

// Of calls that nobody takes the newest stays, whatever their order.
func TestCallsThatNobodyTakes(t *testing.T) {
	const calls = 1000
	r := receiver{make(chan active, 1)}
	var all sync.WaitGroup
	for i := range int32(calls) { // as godbus does it
		all.Go(func() { _ = r.active(i+1, strconv.Itoa(int(i+1))) })
	}
	all.Wait()
	if is := <-r.calls; is != (active{calls, strconv.Itoa(calls)}) {
		t.Errorf("%+v", is)
	}
}

// A socket that nobody listens on is of another time; one that does not answer is a fault.
func TestEachSocket(t *testing.T) {
	dir := t.TempDir()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", dir+"/old")
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	if err := eachSocket(t.Context(), []string{dir + "/none", dir + "/old"}, func(net.Conn) error { return nil }); err != errAbsent { //nolint:errorlint // as it is
		t.Error(err)
	}
}

func TestAppOfUnit(t *testing.T) {
	const slice = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
	for group, want := range map[string]string{
		slice + "app-gnome-org.gnome.Calculator-4711.scope\n":                                             "org.gnome.Calculator",
		slice + "app-firefox-4711.scope":                                                                  "firefox",
		slice + "app-flatpak-org.gimp.GIMP-12.scope":                                                      "org.gimp.GIMP",
		slice + `app-midimon-my\x2deditor@5f.service`:                                                     "my-editor",
		slice + "app-org.kde.kate.service":                                                                "org.kde.kate",
		slice + `app-dbus\x2d:1.2\x2dorg.gnome.TextEditor.slice/dbus-:1.2-org.gnome.TextEditor@0.service`: "org.gnome.TextEditor",
		slice + "gnome-terminal-server.service":                                                           "",
		"0::/user.slice/user-1000.slice/session-2.scope":                                                  "",
		slice + "app.scope":                                                                               "", slice + "app-.scope": "", slice + "app": "", "": "",
	} {
		if got := appOfUnit(group); got != want {
			t.Errorf("%s: %q, want %q", group, got, want)
		}
	}
}

// TestXServerOfTheManager: midimon may be older than the session, whose X server and the right to it only
// the service manager knows then.
func TestXServerOfTheManager(t *testing.T) {
	d := desktoptest.New(t)
	desktoptest.Manager(d, "DISPLAY=:4711", "XAUTHORITY=/run/authority")
	desk := bus.Session(d.Getenv)
	t.Cleanup(desk.Close)
	follows(t, desk, nil)(Focus{Why: "X11: cannot reach the X server :4711"})
}

// follows runs a watcher and returns how to wait for what it tells.
func follows(t *testing.T, user *bus.Bus, env map[string]string) (until func(want Focus)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan Focus, 64), make(chan struct{})
	w := New(user, func(name string) string { return env[name] })
	go func() {
		defer close(ended)
		w.Run(ctx, func(f Focus) {
			select {
			case told <- f:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	var all []Focus
	return func(want Focus) {
		t.Helper()
		for over := time.After(desktoptest.Limit); ; {
			select {
			case f := <-told:
				all = append(all, f)
				if f.App == want.App && f.Source == want.Source && strings.Contains(f.Why, want.Why) && f.Fix == want.Fix {
					return
				}
			case <-over:
				t.Fatalf("no %+v in %+v", want, all)
			}
		}
	}
}
