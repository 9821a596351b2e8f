//go:build linux

package desktoptest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// X11 starts an X server without a screen, 1024 by 768, and a window manager. It does not
// reset when its last client leaves: keys that one left down stay down, as on a real desktop.
func X11(t testing.TB) *Desktop {
	t.Helper()
	Need(t, "Xvfb", "openbox", "xdotool", "xterm")
	d := newDesktop(t, nil, nil)
	number := d.Fifo("display")
	w, err := os.OpenFile(number.Path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := d.Command("Xvfb", "-displayfd", "3", "-noreset", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	c.ExtraFiles = []*os.File{w}
	d.display = d.Run(c)
	_ = w.Close()
	d.Env = append(d.Env, "DISPLAY=:"+number.Next(), "XDG_SESSION_TYPE=x11")
	d.Write("config/openbox/rc.xml", `<openbox_config xmlns="http://openbox.org/3.4/rc"><focus><focusNew>yes</focusNew></focus></openbox_config>`)
	// It names itself to all before it has looked for windows, and may leave one alone that comes meanwhile.
	managed := d.Fifo("managed")
	d.Start("openbox", "--startup", "sh -c 'echo managed >"+managed.Path+"'")
	managed.Next()
	d.term = []string{"xterm", "-u8", "-T", "%s", "-e"}
	d.front = func(title string) {
		t.Helper()
		d.Output("xdotool", "search", "--sync", "--onlyvisible", "--name", "^"+title+"$", "windowactivate", "--sync")
	}
	return d
}

// Sway starts a Wayland compositor without a screen, 1024 by 768, and without Xwayland. Lines
// are added to its configuration: "input type:keyboard xkb_layout de".
func Sway(t testing.TB, lines ...string) *Desktop {
	t.Helper()
	Need(t, "sway", "swaymsg", "foot")
	d := newDesktop(t, nobody(t), nil)
	d.Env = append(d.Env, "WLR_BACKENDS=headless", "WLR_RENDERER=pixman", "WLR_LIBINPUT_NO_DEVICES=1", "XDG_SESSION_TYPE=wayland", "XDG_CURRENT_DESKTOP=sway")
	ready := d.Fifo("ready")
	config := d.Write("sway.conf", strings.Join(append([]string{
		"output HEADLESS-1 resolution 1024x768 position 0 0",
		"xwayland disable",
		"exec echo $WAYLAND_DISPLAY $SWAYSOCK >" + ready.Path,
	}, lines...), "\n"))
	d.restart = func() {
		t.Helper()
		d.display = d.Start("sway", "-c", config)
		var display, ipc string
		if _, err := fmt.Sscan(ready.Next(), &display, &ipc); err != nil {
			t.Fatal(err)
		}
		d.Env = append(d.Env, "WAYLAND_DISPLAY="+display, "SWAYSOCK="+ipc)
	}
	d.restart()
	d.term = []string{"foot", "--title=%s"}
	d.front = func(title string) {
		t.Helper()
		Until(t, title+" in front", func() bool {
			for window := range strings.SplitSeq(d.Output("swaymsg", "-r", "-t", "get_tree"), `"id":`) {
				if strings.Contains(window, `"name": "`+title+`"`) && strings.Contains(window, `"focused": true`) {
					return true
				}
			}
			return false
		})
	}
	return d
}

// Front returns when the window of that title has the keyboard.
func (d *Desktop) Front(title string) {
	d.t.Helper()
	d.front(title)
}

// A Terminal is one in front whose shell reads lines.
type Terminal struct {
	*Program
	lines *Lines
}

// Terminal opens a terminal with that title, and returns when it has the keyboard.
func (d *Desktop) Terminal(title string) *Terminal {
	d.t.Helper()
	lines := d.Fifo("terminal-" + title)
	args := []string{}
	for _, a := range d.term[1:] {
		args = append(args, strings.Replace(a, "%s", title, 1))
	}
	args = append(args, "sh", "-c", "stty -echo; echo ready >"+lines.Path+"; exec cat >"+lines.Path)
	t := &Terminal{Program: d.Start(d.term[0], args...), lines: lines}
	if got := lines.Next(); got != "ready" {
		d.t.Fatalf("the terminal says %q", got)
	}
	d.front(title)
	return t
}

// Line waits for a line that was typed, and returns it.
func (t *Terminal) Line() string {
	t.t.Helper()
	return t.lines.Next()
}
