package main

import (
	"flag"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/packaging/man"
	"github.com/amiable-dev/midimon/packaging/man/mantest"
)

// The manual page has the flags that there are.
func TestManual(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/~config") // whose name it has is nobody's
	set, _, _ := newFlags()
	p := man.New("midimon", 1, "turn MIDI controllers into control surfaces")
	p.Section("Synopsis")
	p.Text("midimon [FLAG]...")
	p.Text("midimon demo")
	p.Section("Description")
	p.Text("midimon is a service of the login session: it hears MIDI controllers and does what the\nconfiguration, see midimon.toml(5), says. systemd starts and watches it, midimonctl(1) and any\nD-Bus client control it. Started by hand it serves until it is interrupted.\n\n" +
		"One midimon runs for each runtime directory. A second one says who is first, and ends.\n\n" +
		"midimon demo plays the starter configuration on a controller that exists only in the program;\nnothing is pressed.")
	p.Section("Options")
	set.VisitAll(func(f *flag.Flag) {
		value, what := flag.UnquoteUsage(f)
		what = strings.ReplaceAll(what, "/~config", "$XDG_CONFIG_HOME")
		p.Item(0, strings.TrimSpace("--"+f.Name+" "+strings.ToUpper(value)), strings.ToUpper(what[:1])+what[1:]+".")
	})
	p.Section("Signals")
	p.Item(0, "SIGHUP", "Read the configuration again, as midimonctl reload does.")
	p.Item(0, "SIGTERM, SIGINT", "Let go of everything held, and end. The second one ends at once.")
	p.Section("Exit status")
	p.Item(0, "0", "It was stopped.")
	p.Item(0, "1", "Another midimon runs, or the private socket cannot be had.")
	p.Item(0, "2", "The command line is wrong.")
	p.Text("No fault of configuration, bus or device makes it end.")
	p.Section("Environment")
	p.Item(0, "XDG_RUNTIME_DIR", "Where the private socket and the lock are. Without it there are none.")
	p.Item(0, "DBUS_SESSION_BUS_ADDRESS", "The session bus; else bus in the runtime directory.")
	p.Section("Files")
	p.Item(0, "$XDG_CONFIG_HOME/midimon/config.toml", "The configuration.")
	p.Item(0, "$XDG_STATE_HOME/midimon/state.json", "The base mode, what is toggled and what was counted, from one run to the next.")
	p.Item(0, "$XDG_RUNTIME_DIR/midimon/bus", "The private socket, where the same objects are as on the session bus.")
	p.Item(0, "$XDG_RUNTIME_DIR/midimon/lock", "The lock.")
	p.Section("See also")
	p.Text("midimonctl(1), midimon.toml(5), systemctl(1)")
	mantest.Check(t, "../../packaging/man/midimon.1", p.Bytes(), *update)
}
