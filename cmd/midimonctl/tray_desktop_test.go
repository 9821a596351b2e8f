//go:build linux && desktop

package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
	bin       string
	conn      *dbus.Conn
	daemon    *desktoptest.Program
	artefacts string
}

func newStage(t *testing.T, d *desktoptest.Desktop) *stage {
	t.Helper()
	bin := filepath.Join(d.Dir, "programs")
	for _, program := range []string{"midimon", "midimonctl"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, program), "../"+program).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	conn, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	pads := filepath.Join(d.Dir, "pads")
	d.Output("mkfifo", "-m", "600", pads)
	d.Write("config/midimon/config.toml", fmt.Sprintf(trayConfig, pads))
	artefacts := os.Getenv("ARTEFACTS")
	if artefacts == "" {
		artefacts = t.TempDir()
	}
	return &stage{Desktop: d, t: t, bin: bin, conn: conn, artefacts: artefacts}
}

func (s *stage) startDaemon() {
	s.t.Helper()
	s.daemon = s.Start(filepath.Join(s.bin, "midimon"), "--dry-run")
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
	lit  = [3]uint32{0x2e, 0xb8, 0x72}
	dark = [3]uint32{0x6c, 0x6c, 0x6c}
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
	i.choose("Paused")
	i.await("midimon: running")
	s.daemon.Kill()
	i.await("Start")
	s.startDaemon()
	i.await("Mode: Desk") // a dry run keeps no mode
}

func TestTrayOnXfce(t *testing.T) {
	desktoptest.Need(t, "xfce4-panel", "import")
	d := desktoptest.X11(t)
	s := newStage(t, d)
	d.Write("config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml", `<?xml version="1.0" encoding="UTF-8"?>
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
`)
	tray := d.Start(filepath.Join(s.bin, "midimonctl"), "tray") // before any panel
	daemons, err := filepath.Glob("/usr/lib/*/xfce4/xfconf/xfconfd")
	if err != nil || len(daemons) == 0 {
		t.Fatal("xfconfd is missing", err)
	}
	d.Start(daemons[0])
	desktoptest.Until(t, "xfconfd", func() bool {
		var owner string
		return s.conn.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, "org.xfce.Xfconf").Store(&owner) == nil
	})
	panel := d.Start("xfce4-panel", "--disable-wm-check")
	shoot := func(path string) { d.Output("import", "-window", "root", path) }
	s.follow(shoot, "xfce")

	panel.Kill()
	d.Start("xfce4-panel", "--disable-wm-check")
	s.icon("xfce-panel-again", shoot, lit)
	select {
	case <-tray.Ended():
		t.Error("the tray ended")
	default:
	}
}

func TestTrayOnWaybar(t *testing.T) {
	desktoptest.Need(t, "waybar", "grim")
	d := desktoptest.Sway(t)
	s := newStage(t, d)
	config, err := json.Marshal(map[string]any{
		"layer": "top", "position": "top", "height": 32, "modules-left": []string{"tray"},
		"tray": map[string]any{"icon-size": 22, "show-passive-items": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	style := d.Write("bar.css", "window#waybar { background: #ffffff; color: #000; }")
	d.Start("waybar", "-c", d.Write("bar.json", string(config)), "-s", style)
	d.Start(filepath.Join(s.bin, "midimonctl"), "tray")
	s.follow(func(path string) {
		own := filepath.Join(d.Dir, "shot.png") // the compositor's user cannot write elsewhere
		d.Output("grim", own)
		text, err := os.ReadFile(own)
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(fmt.Errorf("cannot keep the picture: %w", err))
		}
	}, "waybar")
}
