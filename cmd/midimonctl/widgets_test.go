//go:build linux && desktop

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// programsOn builds both programs onto a desktop, in front of its PATH.
func programsOn(t *testing.T, d *desktoptest.Desktop) {
	t.Helper()
	bin := filepath.Join(d.Dir, "bin")
	for _, program := range []string{"midimon", "midimonctl"} {
		if out, err := exec.Command("go", "build", "-o", bin+"/", "../"+program).CombinedOutput(); err != nil { //nolint:noctx // it ends
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, e := range d.Env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			d.Env[i] = "PATH=" + bin + ":" + path
		}
	}
}

const widgetConfig = `
[[devices]]
name = "Pads"
match = "raw:%s"
optional = true
[[modes]]
name = "Desk"
[[modes]]
name = "Media"
`

// daemonOn starts midimon on a desktop, with a FIFO for a device.
func daemonOn(d *desktoptest.Desktop) *desktoptest.Program {
	pads := filepath.Join(d.Dir, "pads")
	if _, err := os.Stat(pads); err != nil {
		d.Output("mkfifo", "-m", "600", pads)
		d.Write("config/midimon/config.toml", fmt.Sprintf(widgetConfig, pads))
	}
	return d.Start(filepath.Join(d.Dir, "bin", "midimon"))
}

// example is a file of packaging/examples, put onto a desktop.
func example(t *testing.T, d *desktoptest.Desktop, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../packaging/examples", name))
	if err != nil {
		t.Fatal(err)
	}
	path := d.Write("examples/"+name, string(text))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// The module of waybar has the colour of the state, in the real waybar.
func TestWaybar(t *testing.T) {
	desktoptest.Need(t, "waybar", "grim")
	d := desktoptest.Sway(t)
	programsOn(t, d)
	bar := d.Start("waybar", "-c", example(t, d, "waybar/config.jsonc"), "-s", example(t, d, "waybar/style.css"))
	colours := map[string]color.RGBA{
		"stopped": {0x42, 0x42, 0x42, 0xff}, "running": {0x2e, 0x7d, 0x32, 0xff},
		"paused": {0x15, 0x65, 0xc0, 0xff}, "degraded": {0xb2, 0x6a, 0x00, 0xff},
	}
	shows := func(state string) {
		t.Helper()
		desktoptest.Until(t, "waybar in the colour of "+state, func() bool {
			select {
			case <-bar.Ended():
				t.Fatalf("waybar ended:\n%s", bar.Said())
			default:
			}
			return hasColour(t, d, colours[state])
		})
	}
	shows("stopped")
	p := daemonOn(d)
	shows("running")
	d.Output(filepath.Join(d.Dir, "bin", "midimonctl"), "pause")
	shows("paused")
	d.Output(filepath.Join(d.Dir, "bin", "midimonctl"), "resume")
	shows("running")
	d.Output(filepath.Join(d.Dir, "bin", "midimonctl"), "stop")
	<-p.Ended()
	shows("stopped")
	daemonOn(d)
	shows("running")

	// A bar that is killed leaves nobody who watches, though nothing changes any more.
	program := filepath.Join(d.Dir, "bin", "midimonctl")
	if n := running(program); n != 1 {
		t.Errorf("%d midimonctl run for one bar", n)
	}
	if err := syscall.Kill(bar.Pid, syscall.SIGKILL); err != nil { // it alone, not its children
		t.Fatal(err)
	}
	desktoptest.Until(t, "the end of the bar's midimonctl", func() bool { return running(program) == 0 })
}

// running is how many processes run a program.
func running(program string) (n int) {
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range all {
		if path, err := os.Readlink(exe); err == nil && path == program { // others end meanwhile
			n++
		}
	}
	return n
}

// hasColour says whether a good part of the bar is of that colour.
func hasColour(t *testing.T, d *desktoptest.Desktop, want color.RGBA) bool {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader([]byte(d.Output("grim", "-t", "png", "-"))))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	bar := image.Rect(0, 0, picture.Bounds().Dx(), 40)
	for y := bar.Min.Y; y < bar.Max.Y; y++ {
		for x := bar.Min.X; x < bar.Max.X; x++ {
			if color.RGBAModel.Convert(picture.At(x, y)) == want {
				n++
			}
		}
	}
	return n > 100
}

// The window follows mode and devices by signals, and its buttons change the mode.
func TestWindow(t *testing.T) {
	desktoptest.Need(t, "python3")
	d := desktoptest.X11(t)
	programsOn(t, d)
	window := d.Start(example(t, d, "gtk/midimon-mode"))
	titled := func(title string) {
		t.Helper()
		desktoptest.Until(t, "a window called "+title, func() bool {
			select {
			case <-window.Ended():
				t.Fatalf("the window is gone:\n%s", window.Said())
			default:
			}
			c := d.Command("xdotool", "search", "--onlyvisible", "--name", "^"+title+"$")
			return c.Run() == nil
		})
	}
	titled("midimon: stopped")
	p := daemonOn(d)
	titled(`midimon: Desk \[Pads\]`)
	d.Output(filepath.Join(d.Dir, "bin", "midimonctl"), "mode", "Media")
	titled(`midimon: Media \[Pads\]`)
	if err := os.Remove(filepath.Join(d.Dir, "pads")); err != nil {
		t.Fatal(err)
	}
	titled(`midimon: Media \[\]`)
	d.Output("mkfifo", "-m", "600", filepath.Join(d.Dir, "pads"))
	titled(`midimon: Media \[Pads\]`)

	// The buttons stand at the bottom, that of the first mode leftmost.
	geometry := d.Output("xdotool", "search", "--onlyvisible", "--name", "^midimon: ", "getwindowgeometry", "--shell")
	_, rest, _ := strings.Cut(geometry, "HEIGHT=")
	var height int
	if _, err := fmt.Sscan(rest, &height); err != nil {
		t.Fatalf("%v\n%s", err, geometry)
	}
	d.Output("xdotool", "search", "--onlyvisible", "--name", "^midimon: ", "windowactivate", "--sync",
		"mousemove", "--window", "%1", "35", fmt.Sprint(height-25), "click", "1")
	titled(`midimon: Desk \[Pads\]`)
	d.Output(filepath.Join(d.Dir, "bin", "midimonctl"), "stop")
	<-p.Ended()
	titled("midimon: stopped")
}
