//go:build linux && desktop

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/portal"
)

// ascii is all that a keyboard of the United States types.
const ascii = ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_` + "`" + `abcdefghijklmnopqrstuvwxyz{|}~`

// polish needs AltGr, and Shift and AltGr together: the levels of a key that GNOME does not look through.
const polish = "Zażółć gęślą jaźń, ŻÓŁW: €–…"

// marks are how many pads there are from firstMark on, which press F2 and so on: once such a key is seen, so is
// all that was done before.
const firstMark, marks = 21, 11

var onGNOME = fmt.Sprintf(`
global_mappings = [
  { trigger = { type = "Note", note = 1 }, action = { type = "Keystroke", keys = "f1" } },
  { trigger = { type = "Note", note = 2 }, action = { type = "Keystroke", keys = "t", modifiers = ["ctrl", "shift"], hold = true } },
  { trigger = { type = "Note", note = 3 }, action = { type = "Text", text = '''%s
''' } },
  { trigger = { type = "Note", note = 4 }, action = { type = "Text", text = "%s\n" } },
  { trigger = { type = "Note", note = 5 }, action = { type = "Text", text = "Hi ß\n" } },
  { trigger = { type = "Note", note = 6 }, action = { type = "Text", text = "me@home\n" } },
  { trigger = { type = "Note", note = 7 }, action = { type = "Text", text = "Hi, you 2!\n" } },
  { trigger = { type = "Note", note = 8 }, action = { type = "MouseMove", x = 500, y = 300, absolute = true } },
  { trigger = { type = "Note", note = 9 }, action = { type = "MouseMove", x = 510, y = 320, absolute = true } },
  { trigger = { type = "Note", note = 10 }, action = { type = "MouseMove", x = -4, y = 3 } },
  { trigger = { type = "Note", note = 11 }, action = { type = "MouseClick", button = "right" } },
  { trigger = { type = "Note", note = 12 }, action = { type = "MouseClick", x = 505, y = 305, hold = true } },
  { trigger = { type = "EncoderTurn", cc = 20, encoding = "twos-complement" }, action = { type = "Scroll", y = 1 } },
%s]
`, ascii, polish, func() (all string) {
	for i := range marks {
		all += fmt.Sprintf("  { trigger = { type = \"Note\", note = %d }, action = { type = \"Keystroke\", keys = \"f%d\" } },\n", firstMark+i, 2+i)
	}
	return all
}())

// A stage is GNOME with a window in front, and midimon whose pads are played.
type stage struct {
	*desktoptest.Desktop
	t      *testing.T
	play   func(midi ...byte)
	window *desktoptest.Program
	conn   *dbus.Conn
	heard  chan *dbus.Signal
	marked int // how often a mark was made
}

func newStage(t *testing.T) *stage {
	t.Helper()
	d := desktoptest.GNOME(t)
	s := &stage{Desktop: d, t: t, conn: d.Dial(), heard: make(chan *dbus.Signal, 10000)}
	if err := s.conn.AddMatchSignal(dbus.WithMatchInterface(dbusapi.BusName), dbus.WithMatchMember("ActionFailed")); err != nil {
		t.Fatal(err)
	}
	s.conn.Signal(s.heard)
	s.play = pads(t, d, onGNOME, "portal")
	s.window = d.Start("stdbuf", "-oL", "wev")
	s.window.Wait("wl_keyboard", "enter")
	return s
}

func (s *stage) tap(note byte) { s.t.Helper(); s.play(0x90, note, 100, 0x80, note, 64) }

// ctl makes midimonctl, and has the bus start midimon.
func (s *stage) ctl() (run func(args ...string) string) {
	s.t.Helper()
	program := s.Dir + "/bin/midimonctl"
	if out, err := exec.CommandContext(s.t.Context(), "go", "build", "-o", program, "../midimonctl").CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	s.Write("dbus-1/services/"+dbusapi.BusName+".service",
		"[D-BUS Service]\nName="+dbusapi.BusName+"\nExec="+s.Dir+"/bin/midimon --config "+s.Dir+"/pads.toml\n")
	if err := s.conn.BusObject().Call("org.freedesktop.DBus.ReloadConfig", 0).Err; err != nil {
		s.t.Fatal(err)
	}
	return func(args ...string) string {
		out, _ := s.Command(program, args...).CombinedOutput() // it fails where something is wrong, and says what
		return string(out)
	}
}

// health is a row of midimon's health, empty if there is none.
func (s *stage) health(name string) (row report.Check) {
	s.t.Helper()
	var v dbus.Variant
	err := s.conn.Object(dbusapi.BusName, dbusapi.RootPath).Call("org.freedesktop.DBus.Properties.Get", 0, dbusapi.BusName, "Health").Store(&v)
	if err != nil {
		s.t.Fatal(err)
	}
	var rows []report.Check // check, status, message, fix
	if err := v.Store(&rows); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Name == name {
			return r
		}
	}
	return report.Check{}
}

// failed is how many actions have failed.
func (s *stage) failed() uint64 {
	s.t.Helper()
	var values map[string]dbus.Variant
	if err := s.conn.Object(dbusapi.BusName, dbusapi.RootPath).Call(dbusapi.BusName+".Statistics.Snapshot", 0).Store(&values); err != nil {
		s.t.Fatal(err)
	}
	n, ok := values["actions_failed"].Value().(uint64)
	if !ok {
		s.t.Fatalf("%v", values)
	}
	return n
}

// fails plays a pad whose action fails.
func (s *stage) fails(note byte) {
	s.t.Helper()
	before := s.failed()
	s.tap(note)
	desktoptest.Until(s.t, "a failure", func() bool { return s.failed() > before })
}

// tells plays a pad until its failure is told with these words: not every failure is told, and another layout may
// take a moment to come.
func (s *stage) tells(note byte, words string) {
	s.t.Helper()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	s.tap(note)
	for late := time.After(desktoptest.Limit); ; {
		select {
		case told := <-s.heard:
			if strings.Contains(fmt.Sprint(told.Body...), words) {
				return
			}
		case <-again.C:
			s.tap(note)
		case <-late:
			s.t.Fatalf("nobody is told %q", words)
		}
	}
}

// sees plays a pad until the window says the words, and returns what it says up to then. As long as the action
// fails it is played again: an answer to the desktop, or another layout, may take a moment to come.
func (s *stage) sees(note byte, words string) string {
	s.t.Helper()
	from, over := len(s.window.Said()), time.Now().Add(desktoptest.Limit)
	for again := true; again; {
		if time.Now().After(over) {
			s.t.Fatalf("the window does not say %q", words)
		}
		before := s.failed()
		s.tap(note)
		desktoptest.Until(s.t, words, func() bool {
			again = s.failed() > before
			return again || strings.Contains(s.window.Said()[from:], words)
		})
	}
	s.window.Wait(words)
	return s.window.Said()[from:]
}

// types plays a pad until its text is typed, and returns the line.
func (s *stage) types(note byte) string {
	s.t.Helper()
	s.works() // what was typed before is not taken for it
	const end = "sym: Return "
	typed := map[string]string{} // a window may have the keyboard twice
	keyboard := ""
	for said := range strings.Lines(s.sees(note, end)) {
		_, char, ok := strings.Cut(said, "utf8: '")
		switch {
		case strings.Contains(said, "(pressed)"):
			keyboard, _, _ = strings.Cut(said, ":")
		case strings.HasPrefix(said, "["):
			keyboard = ""
		case strings.Contains(said, end) && keyboard != "":
			return typed[keyboard]
		case ok && keyboard != "":
			typed[keyboard] += strings.TrimSuffix(char, "'\n") // nothing, of a modifier
		}
	}
	return "nothing"
}

// place plays a pad and returns where it has moved the mouse in the window.
func (s *stage) place(note byte) (x, y float64) {
	s.t.Helper()
	const motion = "wl_pointer] motion:"
	s.tap(note)
	s.works()
	said := s.window.Said()
	_, at, _ := strings.Cut(said[strings.LastIndex(said, motion):], "x, y: ")
	if _, err := fmt.Sscanf(at, "%f, %f", &x, &y); err != nil {
		s.t.Fatalf("%v: %s", err, said)
	}
	return x, y
}

// What may be clicked in the question whether midimon may control the computer.
const (
	allow  = "switch: Allow remote interaction"
	share  = "button: Share"
	refuse = "button: Cancel"
)

// answer plays a pad until the question comes, and answers it by what is clicked.
func (s *stage) answer(note byte, clicks ...string) {
	s.t.Helper()
	const who = "xdg-desktop-portal-gnome"
	role, name, _ := strings.Cut(refuse, ": ")
	s.until(note, "the question", func() bool { return s.Shows(who, role, name) })
	if note == 8 { // it is asked for a screen too, and selects the only one itself, a moment later
		s.Selected(who, "list item", "MetaVendor")
	}
	for _, c := range clicks {
		role, name, _ := strings.Cut(c, ": ")
		s.Click(who, role, name)
	}
}

// works plays pads until a key is seen, and with it all that was done before. The desktop's answer, and then the
// keyboard, may take a moment to come, and keys before that are lost.
func (s *stage) works() {
	s.t.Helper()
	mark := s.marked % marks
	s.marked++
	from, key := len(s.window.Said()), fmt.Sprintf("sym: F%d ", 2+mark)
	s.until(byte(firstMark+mark), key, func() bool { return strings.Contains(s.window.Said()[from:], key) })
}

// until plays a pad each second until that is so.
func (s *stage) until(note byte, what string, so func() bool) {
	s.t.Helper()
	var next time.Time
	desktoptest.Until(s.t, what, func() bool {
		if now := time.Now(); now.After(next) {
			s.tap(note)
			next = now.Add(time.Second)
		}
		return so()
	})
}

// TestPadsOnGNOME: GNOME has no other way for programs to press keys than to ask the user.
func TestPadsOnGNOME(t *testing.T) {
	s := newStage(t)
	s.tells(1, "the desktop asks whether midimon may control the computer")
	s.answer(1, allow, share)
	s.works()

	s.play(0x90, 2, 100)
	for _, words := range []string{"Control ", "Shift Control ", "sym: T "} {
		s.window.Wait(words)
	}
	s.play(0x80, 2, 0)
	s.window.Wait("state: 0 (released)")

	if got := s.types(3); got != ascii {
		t.Errorf("typed %q, want %q", got, ascii)
	}
	s.tells(4, "'ż' (U+017C)")
	s.Layouts("pl")
	if got := s.types(4); got != polish {
		t.Errorf("typed %q, want %q", got, polish)
	}
	// Nothing says which of several is chosen, and GNOME looks for characters in that one only.
	s.Layouts("us", "de")
	s.tells(5, "'ß' (U+00DF)")
	s.tells(6, "'@' (U+0040)")
	if got := s.types(7); got != "Hi, you 2!" {
		t.Errorf("typed %q", got)
	}

	s.answer(8, allow, share) // for places it asks for the screens
	s.sees(8, "wl_pointer]")
	x, y := s.place(9)
	for _, c := range []struct {
		pad  byte
		x, y float64
	}{{10, -4, 3}, {8, -10, -20}, {9, 0, 0}} {
		if gotX, gotY := s.place(c.pad); gotX-x != c.x || gotY-y != c.y {
			t.Errorf("pad %d: the mouse is %v,%v from 510,320 of the screen, want %v,%v", c.pad, gotX-x, gotY-y, c.x, c.y)
		}
	}
	for _, step := range []struct {
		midi []byte
		see  []string
	}{
		{[]byte{0x90, 11, 100, 0x80, 11, 0}, []string{"button: 273 (right), state: 1 (pressed)", "button: 273 (right), state: 0 (released)"}},
		{[]byte{0x90, 12, 100}, []string{"wl_pointer] motion:", "button: 272 (left), state: 1 (pressed)"}},
		{[]byte{0x80, 12, 0}, []string{"button: 272 (left), state: 0 (released)"}},
		{[]byte{0xb0, 20, 1}, []string{"axis: 0 (vertical), value: 10"}},
		{[]byte{0xb0, 20, 127}, []string{"axis: 0 (vertical), value: -10"}},
	} {
		s.play(step.midi...)
		for _, words := range step.see {
			s.window.Wait(words)
		}
	}

	// The desktop ends it, and a key is held. GNOME lets go of that.
	s.play(0x90, 2, 100)
	s.window.Wait("sym: T ")
	s.Unshare()
	s.answer(1, allow, share)
	s.works()
	if got := s.types(7); got != "Hi, you 2!" {
		t.Errorf("typed %q", got)
	}
}

// TestRefusedOnGNOME: who does not allow it is not asked again until midimon is started again, and its health tells
// why no pad does anything, and what mends it.
func TestRefusedOnGNOME(t *testing.T) {
	s := newStage(t)
	midimonctl := s.ctl()
	for _, c := range []struct {
		pad    byte
		answer string
	}{
		{1, refuse},
		{8, share}, // the screen may be looked at, and that is all
	} {
		s.answer(c.pad, c.answer)
		desktoptest.Until(t, "its health", func() bool { return s.health("keys").Status == report.Failed })
		if row := s.health("keys"); !strings.Contains(row.Message, "not portal: "+portal.ErrRefused.Error()) || row.Fix != "midimonctl restart" {
			t.Errorf("%+v", row)
		}
		if said := midimonctl("doctor"); !strings.Contains(said, portal.ErrRefused.Error()) || !strings.Contains(said, "fix: midimonctl restart") {
			t.Errorf("the doctor says %s", said)
		}
		asked := s.Monitor()
		s.tells(1, "keys-unavailable")
		for _, pad := range []byte{1, 2, 3, 8, 10, 11} {
			s.fails(pad)
		}
		if err := s.conn.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
			t.Fatal(err)
		}
		asked.Next("what comes after", func(m *dbus.Message) bool {
			member := m.Headers[dbus.FieldMember].Value()
			if member == "CreateSession" {
				t.Error("it asks again")
			}
			return member == "GetId"
		})
		if said := midimonctl("restart"); !strings.Contains(said, "the session bus started midimon") {
			t.Fatal(said)
		}
		desktoptest.Until(t, "another midimon", func() bool { return s.health("keys") == report.Check{} })
	}
	s.answer(1, allow, share)
	s.works()
}
