//go:build linux

package wayland

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/linux/keymap"
)

// compositor is a fake that answers as told: it reads requests and gives each to serve, whose
// result it sends.
func compositor(t *testing.T, serve func(m message) ([]byte, int)) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "midimon") //nolint:usetesting // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "wayland-0")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		s, err := l.AcceptUnix()
		if err != nil {
			return
		}
		defer s.Close() //nolint:errcheck // the test is over
		buf, pending := make([]byte, 1<<16), []byte(nil)
		for {
			n, err := s.Read(buf)
			if err != nil {
				return
			}
			pending = append(pending, buf[:n]...)
			for {
				m, rest, ok, err := cut(pending)
				if err != nil || !ok {
					break
				}
				answer, fd := serve(m)
				pending = rest
				var oob []byte
				if fd > 0 {
					oob = unix.UnixRights(fd)
				}
				if len(answer) > 0 {
					if _, _, err := s.WriteMsgUnix(answer, oob, nil); err != nil {
						return
					}
				}
				if answer == nil && fd < 0 {
					return // the end
				}
			}
		}
	}()
	return path
}

// answers is a compositor that offers interfaces and syncs, and does no more.
func answers(interfaces ...string) func(m message) ([]byte, int) {
	return func(m message) ([]byte, int) {
		a := Args{body: m.body}
		switch {
		case m.object == display && m.opcode == displayGetRegistry:
			id, b := a.Uint(), []byte(nil)
			for i, name := range interfaces {
				from := len(b)
				b = appendString(Append(b, id, registryGlobal, uint32(i+1)), from, name)
				b = fit(order.AppendUint32(b, 3), from)
			}
			return b, 0
		case m.object == display && m.opcode == displaySync:
			id := a.Uint()
			return Append(Append(nil, id, 0, 0), display, displayDeleteID, id), 0
		}
		return nil, 0
	}
}

func dial(t *testing.T, path string) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestWhatIsOffered(t *testing.T) {
	c := dial(t, compositor(t, answers("wl_seat", "wl_output")))
	if g, ok := c.Find("wl_output"); !ok || g.Name != 2 || g.Version != 3 {
		t.Errorf("%+v %v", g, ok)
	}
	if _, err := NewKeyboard(t.Context(), c); err == nil || !strings.Contains(err.Error(), "lacks zwp_virtual_keyboard_manager_v1") {
		t.Errorf("a keyboard: %v", err)
	}
	if _, err := NewPointer(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), "lacks zwlr_virtual_pointer_manager_v1") {
		t.Errorf("a pointer: %v", err)
	}
	for range 1000 { // ids are used again
		if err := c.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if id := c.newID(nil); id > 8 {
		t.Errorf("after a thousand answers the next id is %d", id)
	}
}

func TestCompositorsThatFail(t *testing.T) {
	good := answers("wl_seat", "zwp_virtual_keyboard_manager_v1")
	on := func(object uint32, opcode uint16, do func(m message) ([]byte, int)) func(m message) ([]byte, int) {
		return func(m message) ([]byte, int) {
			if m.object == object && m.opcode == opcode {
				return do(m)
			}
			return good(m)
		}
	}
	syncs := 0
	for want, serve := range map[string]func(m message) ([]byte, int){
		"has ended":     on(display, displaySync, func(message) ([]byte, int) { return nil, -1 }),
		"sends nonsens": on(display, displaySync, func(message) ([]byte, int) { return []byte{0, 0, 0, 0, 0, 0, 3, 0}, 0 }),
		"does not answ": on(display, displaySync, func(message) ([]byte, int) { return nil, 0 }),
		"refuses object 4: no (1)": func(m message) ([]byte, int) {
			if m.object == display && m.opcode == displaySync {
				if syncs++; syncs > 1 {
					return appendString(Append(nil, display, displayError, 4, 1), 0, "no"), 0
				}
			}
			return good(m)
		},
	} {
		c, err := Dial(t.Context(), compositor(t, serve))
		if err == nil {
			_, err = NewKeyboard(t.Context(), c)
			select {
			case <-c.Done():
			case <-time.After(30 * time.Second):
				t.Errorf("%s: the connection does not end", want)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Dial(t.Context(), "/nowhere/wayland-0"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestKeymapOfTheSeat(t *testing.T) {
	const text = `xkb_keymap { xkb_keycodes { <A> = 38; }; xkb_symbols { name[Group1]="German"; key <A> { [ a, A ] }; }; };` + "\x00"
	fd, err := unix.MemfdCreate("keymap", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd) //nolint:errcheck // the test is over
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		t.Fatal(err)
	}
	base := answers(seatInterface)
	seat := uint32(0)
	c := dial(t, compositor(t, func(m message) ([]byte, int) {
		a := Args{body: m.body}
		switch {
		case m.opcode == registryBind && m.object != display && seat == 0:
			a.Uint()
			_ = a.String()
			a.Uint()
			seat = a.Uint()
			return Append(nil, seat, seatCapabilities, 3), 0
		case m.object == seat && seat != 0:
			return Append(nil, a.Uint(), wlKeyboardKeymap, keymapText, uint32(len(text))), fd
		}
		return base(m)
	}))
	s, err := NewSeat(c)
	if err != nil {
		t.Fatal(err)
	}
	var k *keymap.Keymap
	for end := time.Now().Add(30 * time.Second); k == nil && time.Now().Before(end); k = s.Keymap() {
		time.Sleep(time.Millisecond)
	}
	if k == nil || k.Groups[0] != "German" {
		t.Fatalf("%+v", k)
	}
}

// All characters of a long text get a key, in rounds if there are not enough.
func TestRounds(t *testing.T) {
	k := &Keyboard{runes: map[rune]uint16{}}
	for code := uint16(100); code < 110; code++ {
		k.free = append(k.free, code)
	}
	text := []rune("aäöüßéèêëēĕėęaä漢字")
	var rounds []string
	for len(text) > 0 {
		n, _ := k.assign(text)
		if n == 0 || len(k.runes) > len(k.free) {
			t.Fatalf("%d of %q, %d keys", n, string(text), len(k.runes))
		}
		seen := map[uint16]bool{}
		for _, r := range text[:n] {
			if _, ok := usKeys()[r]; ok {
				continue
			}
			code := k.runes[r]
			if code < 100 || code >= 110 {
				t.Errorf("%q is on key %d", r, code)
			}
			seen[code] = true
		}
		rounds = append(rounds, string(text[:n]))
		text = text[n:]
	}
	if len(rounds) != 2 || rounds[0] != "aäöüßéèêëēĕ" {
		t.Errorf("rounds %q", rounds)
	}
	if n, added := k.assign([]rune("ėę plain")); n != 8 || added {
		t.Errorf("%d of 8 characters that are known, added %v", n, added)
	}
}
