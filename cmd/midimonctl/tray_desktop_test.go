//go:build linux && desktop

package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

const trayConfig = `
[[devices]]
name = "pads"
match = ["raw:%s"]
[[modes]]
name = "Desk"
[[modes]]
name = "Studio"
`

// An item is a tray's, asked as a panel does.
type item struct {
	t    *testing.T
	conn *dbus.Conn
	name string
}

// A layout is a menu (com.canonical.dbusmenu, GetLayout).
type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

func (l layout) label() string {
	s, _ := l.Props["label"].Value().(string)
	return s
}

// find is the entry with that label, which may be below another.
func (l layout) find(label string) (layout, bool) {
	if l.label() == label {
		return l, true
	}
	for _, child := range l.Children {
		var c layout
		if dbus.Store([]any{child.Value()}, &c) == nil {
			if found, ok := c.find(label); ok {
				return found, true
			}
		}
	}
	return layout{}, false
}

func (i *item) layout() (layout, bool) {
	var revision uint32
	var l layout
	err := i.conn.Object(i.name, "/MenuBar").Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &l)
	return l, err == nil
}

// await waits for an entry of the menu.
func (i *item) await(label string) (found layout) {
	i.t.Helper()
	desktoptest.Until(i.t, "an entry "+label, func() bool {
		l, ok := i.layout()
		if ok {
			found, ok = l.find(label)
		}
		return ok
	})
	return found
}

// choose chooses an entry.
func (i *item) choose(label string) {
	i.t.Helper()
	e := i.await(label)
	if err := i.conn.Object(i.name, "/MenuBar").Call("com.canonical.dbusmenu.Event", 0, e.ID, "clicked", dbus.MakeVariant(""), uint32(0)).Err; err != nil {
		i.t.Fatal(err)
	}
}

// stage is a desktop with midimon, its tray and a panel.
type stage struct {
	*desktoptest.Desktop
	t         *testing.T
	conn      *dbus.Conn
	daemon    *desktoptest.Program
	tray      *desktoptest.Program
	artefacts string
}

func newStage(t *testing.T, d *desktoptest.Desktop) *stage {
	t.Helper()
	programsOn(t, d)
	d.Output("mkfifo", "-m", "600", filepath.Join(d.Dir, "pads"))
	artefacts := os.Getenv("ARTEFACTS")
	if artefacts == "" {
		artefacts = t.TempDir()
	}
	s := &stage{Desktop: d, t: t, artefacts: artefacts}
	s.conn = s.Dial()
	s.configure("")
	return s
}

// configure writes midimon's configuration, with more at its end, and returns its path.
func (s *stage) configure(more string) string {
	s.t.Helper()
	return s.Write("config/midimon/config.toml", fmt.Sprintf(trayConfig, filepath.Join(s.Dir, "pads"))+more)
}

func (s *stage) startTray() {
	s.t.Helper()
	s.tray = s.Start(filepath.Join(s.Dir, "bin", "midimonctl"), "tray")
}

func (s *stage) startDaemon() {
	s.t.Helper()
	s.daemon = s.Start(filepath.Join(s.Dir, "bin", "midimon"), "--dry-run")
	s.daemon.Wait("msg=ready")
}

// item is the one that the panel's watcher knows.
func (s *stage) item() *item {
	s.t.Helper()
	var names []string
	desktoptest.Until(s.t, "an icon that the panel knows", func() bool {
		v, err := s.conn.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").GetProperty("org.kde.StatusNotifierWatcher.RegisteredStatusNotifierItems")
		names, _ = v.Value().([]string)
		return err == nil && len(names) > 0
	})
	name, _, _ := strings.Cut(names[0], "/")
	return &item{s.t, s.conn, name}
}

func (s *stage) mode(want string) {
	s.t.Helper()
	desktoptest.Until(s.t, "mode "+want, func() bool {
		v, err := s.conn.Object("com.amiable.Midimon1", "/com/amiable/Midimon1").GetProperty("com.amiable.Midimon1.Mode")
		return err == nil && v.Value() == want
	})
}

// icon waits for pixels in the colour of a state in the upper left of the screen. The picture is kept.
func (s *stage) icon(name string, shoot func(path string), colour [3]uint32) {
	s.t.Helper()
	path := filepath.Join(s.artefacts, name+".png")
	desktoptest.Until(s.t, "the icon "+name, func() bool {
		shoot(path)
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close() //nolint:errcheck // nothing was written
		img, err := png.Decode(f)
		if err != nil {
			return false
		}
		n := 0
		for y := range 40 {
			for x := range 60 {
				r, g, b, _ := img.At(x, y).RGBA()
				if near(r, colour[0]) && near(g, colour[1]) && near(b, colour[2]) {
					n++
				}
			}
		}
		return n > 20
	})
}

func near(sixteen, eight uint32) bool {
	d := int(sixteen>>8) - int(eight)
	return d > -12 && d < 12
}

var (
	lit    = [3]uint32{0x2e, 0xb8, 0x72}
	amber  = [3]uint32{0xe6, 0xa2, 0x1e}
	purple = [3]uint32{0x9a, 0x6d, 0xd7}
	dark   = [3]uint32{0x6c, 0x6c, 0x6c}
)

// follow is what the icon does on any panel.
func (s *stage) follow(shoot func(path string), name string) {
	t := s.t
	t.Helper()
	i := s.item()
	if l, ok := i.layout(); !ok || len(l.Children) != 1 {
		t.Errorf("stopped, and %d entries", len(l.Children))
	}
	i.await("Start")
	s.icon(name+"-stopped", shoot, dark)
	s.startDaemon()
	i.await("Mode: Desk")
	s.icon(name+"-running", shoot, lit)
	i.choose("Studio")
	s.mode("Studio")
	if m := i.await("Mode: Studio"); len(m.Children) != 2 {
		t.Errorf("%d modes", len(m.Children))
	}
	i.choose("Paused")
	i.await("midimon: paused")
	s.icon(name+"-paused", shoot, purple)
	i.choose("Paused")
	i.await("midimon: running")
	s.configure("[[devices]]\nname = \"ghost\"\nmatch = \"raw:/run/no-such-thing\"\n")
	i.await("midimon: degraded")
	i.await("device-absent:ghost: the device ghost is not plugged in")
	s.icon(name+"-degraded", shoot, amber)
	s.configure("")
	i.await("midimon: running")
	s.daemon.Kill()
	i.await("Start")
	s.startDaemon()
	i.await("Mode: Desk") // a dry run keeps no mode
}

const xfcePanel = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
 <property name="configver" type="int" value="2"/>
 <property name="panels" type="array"><value type="int" value="1"/>
  <property name="panel-1" type="empty">
   <property name="position" type="string" value="p=6;x=0;y=0"/>
   <property name="length" type="uint" value="100"/>
   <property name="position-locked" type="bool" value="true"/>
   <property name="size" type="uint" value="32"/>
   <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
  </property>
 </property>
 <property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray">
  <property name="known-items" type="array"><value type="string" value="midimon"/></property></property></property>
</channel>
`

// startXfce starts the panel of Xfce and what it keeps its settings in, which end with the bus.
func (s *stage) startXfce() *desktoptest.Program {
	s.t.Helper()
	daemons, err := filepath.Glob("/usr/lib/*/xfce4/xfconf/xfconfd")
	if err != nil || len(daemons) == 0 {
		s.t.Fatal("xfconfd is missing", err)
	}
	s.Start(daemons[0])
	desktoptest.Until(s.t, "xfconfd", func() bool {
		var owner string
		return s.conn.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, "org.xfce.Xfconf").Store(&owner) == nil
	})
	return s.Start("xfce4-panel", "--disable-wm-check")
}

// newXfce is a stage on X11, where the tray is before any panel.
func newXfce(t *testing.T) (s *stage, panel *desktoptest.Program, shoot func(path string)) {
	t.Helper()
	desktoptest.Need(t, "xfce4-panel", "import")
	s = newStage(t, desktoptest.X11(t))
	s.Write("config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml", xfcePanel)
	s.startTray()
	return s, s.startXfce(), func(path string) { s.Output("import", "-window", "root", path) }
}

func TestTrayOnXfce(t *testing.T) {
	s, panel, shoot := newXfce(t)
	s.follow(shoot, "xfce")
	s.click()
	whole(t, panel)

	panel.Kill()
	panel = s.Start("xfce4-panel", "--disable-wm-check")
	s.icon("xfce-panel-again", shoot, lit)
	s.RestartBus()
	select { // without a bus the panel ends by itself
	case <-panel.Ended():
	case <-time.After(desktoptest.Limit):
		t.Fatal("the panel goes on without a bus")
	}
	s.conn = s.Dial()
	s.startXfce()
	s.icon("xfce-bus-again", shoot, lit)
	s.item().choose("Studio") // by the private socket: no bus is needed for that
	s.item().await("Mode: Studio")
	select {
	case <-s.tray.Ended():
		t.Error("the tray ended")
	default:
	}
}

// whole fails if the panel could not show all of the menu: what is below an entry came before it.
func whole(t *testing.T, panel *desktoptest.Program) {
	t.Helper()
	if said := panel.Said(); strings.Contains(said, "LIBDBUSMENU-GTK-WARNING") {
		t.Error(said)
	}
}

// click opens the menu by the mouse and goes to the second mode by the keys of the panel's own menu.
func (s *stage) click() {
	s.t.Helper()
	i := s.item()
	i.choose("Desk")
	s.mode("Desk")
	pause := 100 * time.Millisecond
	desktoptest.Until(s.t, "mode Studio, by mouse and keyboard", func() bool {
		step := fmt.Sprint(pause.Seconds())
		s.Output("xdotool", "mousemove", "16", "16", "click", "1", "sleep", step, "key", "Down", "sleep", step, "key", "Right", "sleep", step, "key", "Down", "sleep", step)
		s.Output("import", "-window", "root", filepath.Join(s.artefacts, "xfce-menu.png"))
		s.Output("xdotool", "key", "Return", "sleep", step)
		v, err := s.conn.Object("com.amiable.Midimon1", "/com/amiable/Midimon1").GetProperty("com.amiable.Midimon1.Mode")
		if err == nil && v.Value() == "Studio" {
			return true
		}
		s.Output("xdotool", "key", "Escape", "sleep", "0.1", "key", "Escape", "sleep", "0.1")
		pause = min(2*pause, 2*time.Second)
		return false
	})
}

// What the entries do beside modes and pause.
func TestTrayEntries(t *testing.T) {
	s, panel, _ := newXfce(t)
	defer whole(t, panel)
	opened := s.Fifo("opened")
	opener := s.Write("bin/xdg-open", "#!/bin/sh\necho \"$1\" >"+opened.Path+"\n")
	if err := os.Chmod(opener, 0o755); err != nil {
		t.Fatal(err)
	}
	s.Dunst()
	s.startDaemon()
	i := s.item()
	generation := func() any {
		v, err := s.conn.Object("com.amiable.Midimon1", "/com/amiable/Midimon1").GetProperty("com.amiable.Midimon1.ConfigGeneration")
		if err != nil {
			t.Fatal(err)
		}
		return v.Value()
	}
	was := generation()
	i.choose("Reload")
	desktoptest.Until(t, "another generation", func() bool { return generation() != was })

	path := s.configure("")
	i.choose("Open configuration")
	if got := opened.Next(); got != path {
		t.Errorf("opened %q, want %q", got, path)
	}
	if controllers := i.await("Controllers"); len(controllers.Children) != 1 {
		t.Errorf("%d controllers", len(controllers.Children))
	}
	i.await("pads")

	i.choose("Doctor")
	s.Output("xdotool", "search", "--sync", "--onlyvisible", "--class", "xterm")

	// What an entry cannot do is shown.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	shown := func(words string) {
		t.Helper()
		desktoptest.Until(t, "a notification "+words, func() bool {
			s.Output("dunstctl", "close-all")
			return strings.Contains(s.Output("dunstctl", "history"), words)
		})
	}
	i.choose("Open configuration")
	shown("midimon: cannot open the configuration")

	i.choose("Stop midimon")
	i.await("Start")
	<-s.daemon.Ended()
	i.choose("Start") // there is neither systemd nor a file for the bus
	shown("midimon: cannot start midimon")

	s.startDaemon()
	i.choose("Quit this icon")
	select {
	case <-s.tray.Ended():
	case <-time.After(desktoptest.Limit):
		t.Fatal("the tray does not end")
	}
	desktoptest.Until(t, "no icon", func() bool {
		v, err := s.conn.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").GetProperty("org.kde.StatusNotifierWatcher.RegisteredStatusNotifierItems")
		names, _ := v.Value().([]string)
		return err == nil && len(names) == 0
	})
}

func TestTrayOnWaybar(t *testing.T) {
	desktoptest.Need(t, "waybar", "grim")
	s := newStage(t, desktoptest.Sway(t))
	config, err := json.Marshal(map[string]any{
		"layer": "top", "position": "top", "height": 32, "modules-left": []string{"tray"},
		"tray": map[string]any{"icon-size": 22, "show-passive-items": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	style := s.Write("bar.css", "window#waybar { background: #ffffff; color: #000; }")
	bar := func() *desktoptest.Program {
		return s.Start("waybar", "-c", s.Write("bar.json", string(config)), "-s", style)
	}
	first := bar()
	s.startTray()
	shoot := func(path string) {
		own := filepath.Join(s.Dir, "shot.png") // the compositor's user cannot write elsewhere
		s.Output("grim", own)
		text, err := os.ReadFile(own)
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(fmt.Errorf("cannot keep the picture: %w", err))
		}
	}
	s.follow(shoot, "waybar")
	whole(t, first)
	first.Kill()
	second := bar()
	s.icon("waybar-again", shoot, lit)
	whole(t, second)
}
