//go:build linux

package focus

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/wayland"
)

// A fakeCompositor tells panels what it is told to: the real ones are driven by the tests of the desktop.
type fakeCompositor struct {
	t     *testing.T
	path  string
	bound chan uint32 // has the manager when somebody asked for it
	gone  chan uint32 // windows that nobody wants to hear of any more

	mu   sync.Mutex
	conn net.Conn // of who asked last
}

func newCompositor(t *testing.T) *fakeCompositor {
	t.Helper()
	f := &fakeCompositor{
		t: t, path: filepath.Join(t.TempDir(), "wayland-7"), bound: make(chan uint32, 8), gone: make(chan uint32, 8),
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", f.path)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); f.end(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { f.serve(c) })
		}
	})
	return f
}

// end is that of the connection with who asked.
func (f *fakeCompositor) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		_ = f.conn.Close()
	}
}

// serve answers a client.
func (f *fakeCompositor) serve(c net.Conn) {
	defer c.Close() //nolint:errcheck // it is over
	var registry uint32
	word := binary.NativeEndian.Uint32
	for {
		var head [8]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		body := make([]byte, word(head[4:])>>16-8)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		switch object, opcode := word(head[:]), word(head[4:])&0xffff; {
		case object == 1 && opcode == 0: // sync
			f.send(c, wayland.Append(nil, word(body), 0, 0), wayland.Append(nil, 1, 1, word(body)))
		case object == 1 && opcode == 1: // get_registry
			registry = word(body)
			f.send(c, text(wayland.Append(nil, registry, 0, 1), toplevelManager, 3))
		case object == registry: // bind
			f.mu.Lock()
			f.conn = c
			f.mu.Unlock()
			f.bound <- word(body[len(body)-4:])
		case object >= firstWindow && opcode == toplevelDestroy:
			f.gone <- object
		}
	}
}

// firstWindow is the first id that is the compositor's to give.
const firstWindow = 0xff000000

// text is an event with a text, and what comes behind it.
func text(b []byte, s string, behind ...uint32) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(len(s)+1))
	b = append(append(b, s...), 0)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	for _, n := range behind {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	opcode := binary.NativeEndian.Uint32(b[4:]) & 0xffff
	binary.NativeEndian.PutUint32(b[4:], uint32(len(b))<<16|opcode)
	return b
}

func (f *fakeCompositor) send(c net.Conn, events ...[]byte) {
	if _, err := c.Write(slices.Concat(events...)); err != nil {
		f.t.Log(err) // it may have gone
	}
}

// says sends events to who asked.
func (f *fakeCompositor) says(events ...[]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.send(f.conn, events...)
}

// window is a new one, of that application.
func (f *fakeCompositor) window(manager, id uint32, app string) {
	f.says(wayland.Append(nil, manager, managerToplevel, id), text(wayland.Append(nil, id, toplevelAppID), app), state(id, 0), done(id))
}

// state is what a window is.
func state(id uint32, states ...uint32) []byte {
	return wayland.Append(nil, id, toplevelState, append([]uint32{uint32(4 * len(states))}, states...)...)
}

func done(id uint32) []byte { return wayland.Append(nil, id, toplevelDone) }

func TestWindowsOfACompositor(t *testing.T) {
	const maximized = 0
	f := newCompositor(t)
	until := follows(t, bus.New(""), map[string]string{"WAYLAND_DISPLAY": f.path})
	manager := <-f.bound
	front := func(app string) Focus { return Focus{App: app, Source: "the compositor"} }
	until(front("")) // there is no window
	one, two := uint32(firstWindow), uint32(firstWindow+1)
	f.window(manager, one, "First.App")
	f.says(state(one, maximized, stateActivated), done(one))
	until(front("first.app"))
	f.window(manager, two, "second")
	f.says(state(one, maximized), done(one), state(two, stateActivated), done(two))
	until(front("second"))
	f.says(text(wayland.Append(nil, two, toplevelAppID), "renamed"), done(two))
	until(front("renamed"))
	f.says(state(two), done(two)) // a menu is in front
	until(front(""))
	f.says(state(two, stateActivated), done(two))
	until(front("renamed"))
	for range 1000 { // more than anybody can take
		f.says(state(two), done(two), state(one, stateActivated), done(one))
		f.says(state(one), done(one), state(two, stateActivated), done(two))
	}
	f.says(state(two), done(two), state(one, stateActivated), done(one))
	f.says(wayland.Append(nil, two, toplevelClosed))
	if id := <-f.gone; id != two {
		t.Errorf("%x is let go of, not %x", id, two)
	}
	until(front("first.app"))
	f.window(manager, two, "third") // by the id that is free again
	f.says(state(two, stateActivated), done(two))
	until(front("third"))
	f.says(wayland.Append(nil, two, toplevelClosed))
	until(front(""))
	f.says(wayland.Append(nil, manager, managerFinished))
	until(Focus{Why: "the compositor is gone"})
	manager = <-f.bound // it is asked again
	f.window(manager, one, "fourth")
	f.says(state(one, stateActivated), done(one))
	until(front("fourth"))
	f.says(wayland.Append(nil, one, toplevelAppID, 1000)) // that is nonsense
	until(Focus{Why: "the compositor is gone"})
	<-f.bound
	until(front(""))
	f.end()
	until(Focus{Why: "the compositor is gone"})
}

// TestCompositorOfAnotherTime: a socket that nobody listens on does not keep us from an X server.
func TestCompositorOfAnotherTime(t *testing.T) {
	dir := t.TempDir()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "wayland-0"))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	env := func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": dir}[name] }
	if is := compositor(t.Context(), env); is != filepath.Join(dir, "wayland-0") {
		t.Errorf("while it listens %q", is)
	}
	_ = l.Close()
	if is := compositor(t.Context(), env); is != "" {
		t.Errorf("%q, where nobody listens", is)
	}
}
