//go:build linux

package launch

import (
	"errors"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

type kind int

const (
	notRun kind = iota
	ran
	timedOut
)

type changed = map[string]any

func TestOutcome(t *testing.T) {
	running := changed{"ActiveState": "active"}
	exit := func(code, status int32) changed {
		return changed{"ExecMainExitTimestamp": uint64(5), "ExecMainCode": code, "ExecMainStatus": status, "Result": "success"}
	}
	for _, c := range []struct {
		name    string
		changes []changed
		ended   bool
		kind    kind
		text    string // the whole error, or ""
	}{
		{"before its start", []changed{{"ActiveState": "inactive"}}, false, notRun, ""},
		{"starting", []changed{{"ActiveState": "inactive"}, {"ActiveState": "activating"}}, false, notRun, ""},
		{"started in vain", []changed{{"ActiveState": "activating"}, {"ActiveState": "inactive"}}, true, notRun, ""},
		{"runs", []changed{running}, false, notRun, ""},
		{"well", []changed{running, exit(1, 0)}, true, notRun, ""},
		{"short", []changed{exit(1, 0), {"ActiveState": "inactive", "Result": "success"}}, true, notRun, ""},
		{"fails", []changed{running, exit(1, 3)}, true, ran, "p: exit status 3"},
		{"fails with a large number", []changed{running, exit(1, 203)}, true, ran, "p: exit status 203"},
		{"no such interpreter", []changed{{"ActiveState": "activating"}, exit(1, 203), {"Result": "exit-code"}}, true, notRun, "cannot start p: the service manager says exit-code, status 203"},
		{"killed", []changed{running, exit(2, 11)}, true, ran, "p: killed by signal 11"},
		{"too long", []changed{running, {"Result": "timeout"}, {"ActiveState": "failed"}}, true, timedOut, "p: did not end within 2s"},
		{"memory", []changed{running, {"Result": "oom-kill", "ActiveState": "failed"}}, true, ran, "p: out of memory"},
		{
			"no such program",
			[]changed{{"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": int32(203)}},
			true, notRun, "cannot start p: the service manager says exit-code, status 203",
		},
	} {
		var o outcome
		for _, change := range c.changes {
			values := map[string]dbus.Variant{}
			for k, v := range change {
				values[k] = dbus.MakeVariant(v)
			}
			o.take([]any{serviceIface, values, []string{}})
		}
		err := o.err(&effect.Command{Name: "p", Timeout: 2 * time.Second})
		text := ""
		if err != nil {
			text = err.Error()
		}
		is := notRun
		if e, ok := errors.AsType[*report.Ended](err); ok {
			if is = ran; e.TimedOut {
				is = timedOut
			}
		}
		if o.ended != c.ended || text != c.text || is != c.kind {
			t.Errorf("%s: ended %v, %v", c.name, o.ended, err)
		}
	}
}

func TestProperties(t *testing.T) {
	get := func(c effect.Command) map[string]any {
		m := map[string]any{}
		for _, p := range properties(&c, "/home/x", os.Stderr) {
			m[p.Name] = p.Value.Value()
		}
		return m
	}
	shell := get(effect.Command{Name: "make", Argv: []string{"/bin/sh", "-c", "make"}, Timeout: time.Minute, Env: []string{"A=b"}})
	if shell["TasksMax"] != uint64(64) || shell["RuntimeMaxUSec"] != uint64(60_000_000) || shell["WorkingDirectory"] != "/home/x" ||
		shell["StandardOutputFileDescriptor"] != dbus.UnixFD(2) || shell["Slice"] != "app.slice" {
		t.Errorf("%v", shell)
	}
	app := get(effect.Command{Name: "app", Argv: []string{"/bin/app"}, Lasting: true, Dir: "/d"})
	if _, limited := app["TasksMax"]; limited || app["WorkingDirectory"] != "/d" || app["Type"] != "exec" || app["StandardOutputFileDescriptor"] != nil {
		t.Errorf("%v", app)
	}
	if name := unitName("org.example.A-b/c"); !regexp.MustCompile(`^app-midimon-org\.example\.A\\x2db-c@[a-z0-9]{10}\.service$`).MatchString(name) {
		t.Error(name)
	}
}
