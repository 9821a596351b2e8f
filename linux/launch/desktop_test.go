//go:build linux && desktop

package launch_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/launch"
	"github.com/amiable-dev/midimon/linux/wayland"
)

// application is a real one of GIO's: it is started by the bus, and tells what it was started with.
const application = `#!/usr/bin/python3
import sys
from gi.repository import Gio

class Pad(Gio.Application):
    def do_before_emit(self, data):
        self.token = data.unpack().get("activation-token")

    def do_activate(self):
        self.tell("activated")

    def do_open(self, files, n, hint):
        self.tell(" ".join(f.get_path() for f in files))

    def tell(self, what):
        with open("OUT", "w") as out:
            print(what, self.token, file=out)

Pad(application_id="org.example.Pad", flags=Gio.ApplicationFlags.HANDLES_OPEN | Gio.ApplicationFlags.IS_SERVICE, inactivity_timeout=60000).run(sys.argv)
`

// programs start on the bus of a desktop.
func programs(t *testing.T, getenv func(string) string) *launch.Programs {
	t.Helper()
	b := bus.Session(getenv)
	t.Cleanup(b.Close)
	return launch.New(b, getenv, wayland.ActivationToken)
}

// variable is one of a command's environment.
func variable(c *effect.Command, name string) string {
	i := slices.IndexFunc(c.Env, func(pair string) bool { return strings.HasPrefix(pair, name+"=") })
	if i < 0 {
		return ""
	}
	return strings.TrimPrefix(c.Env[i], name+"=")
}

// The compositor's token reaches foot, which gives it back when it has a window.
func TestTokenIsGivenBack(t *testing.T) {
	d := desktoptest.Sway(t)
	c := effect.Command{Name: "foot", Argv: []string{"foot"}, Env: []string{"MIDIMON_VALUE=1"}, Lasting: true}
	p := programs(t, d.Getenv)
	if c := p.Detect(t.Context()); c.Name != "process" || c.Status != report.Warning {
		t.Errorf("%+v", c)
	}
	if err := p.Run(t.Context(), &c, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("%v: there is no service manager", err)
	}
	token := variable(&c, "XDG_ACTIVATION_TOKEN")
	if token == "" || variable(&c, "DESKTOP_STARTUP_ID") != token || variable(&c, "MIDIMON_VALUE") != "1" {
		t.Fatalf("its environment has %q more", c.Env)
	}
	foot := d.Command("foot", "sleep", "1000")
	foot.Env = append(append(slices.Clone(d.Env), c.Env...), "WAYLAND_DEBUG=1")
	d.Run(foot).Wait("xdg_activation_v1", `.activate("`+token+`"`)
}

func TestApplicationComesByTheBus(t *testing.T) {
	sway, services := desktoptest.Sway(t), t.TempDir()
	d := desktoptest.New(t, "<servicedir>"+services+"</servicedir>")
	told := d.Fifo("told")
	script := d.Write("pad", strings.Replace(application, "OUT", told.Path, 1))
	service := "[D-BUS Service]\nName=org.example.Pad\nExec=/usr/bin/python3 " + script + "\n"
	if err := os.WriteFile(filepath.Join(services, "org.example.Pad.service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Write("share/applications/org.example.Pad.desktop", "[Desktop Entry]\nType=Application\nName=Pad\nExec=false %U\nDBusActivatable=true\n")
	p := programs(t, func(name string) string {
		switch name {
		case "XDG_DATA_HOME", "XDG_DATA_DIRS":
			return filepath.Join(d.Dir, "share")
		case "WAYLAND_DISPLAY":
			return filepath.Join(sway.Dir, sway.Getenv(name))
		}
		return d.Getenv(name)
	})
	for _, files := range [][]string{nil, {"/etc/hosts", "/etc/passwd"}} {
		c, err := p.Find(&effect.Launch{App: "org.example.Pad"})
		if err != nil {
			t.Fatal(err)
		}
		c.Lasting, c.Files = true, files
		if err := p.Run(t.Context(), &c, nil); err != nil {
			t.Fatal(err)
		}
		token, what := variable(&c, "XDG_ACTIVATION_TOKEN"), "activated"
		if files != nil {
			what = strings.Join(files, " ")
		}
		if got := told.Next(); token == "" || got != what+" "+token {
			t.Errorf("the application says %q; the token is %q", got, token)
		}
	}
}
