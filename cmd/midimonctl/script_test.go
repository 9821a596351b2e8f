package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/lock"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"midimonctl": main})
}

var update = flag.Bool("update", false, "write what the programs print into the scripts")

// A world is what a script's commands share: the fake daemon and what it heard.
type world struct {
	t       testing.TB
	backend *dbustest.Backend
	mu      sync.Mutex
	heard   []string
	end     func() // of what serve began last
}

// The scripts run the real program against a fake daemon.
//
//	bus [activatable]  starts a session bus; activatable: it would create $WORK/started
//	serve bus|socket   lets the daemon answer there
//	exits N PROGRAM …  like exec, with that exit code
//	heard CALL         the daemon was told this
//	invalid            from now on the configuration has errors
//	disabled ID        the device is switched off
//	ends               the daemon ends
//	happens WORD ...   messages come in; the mode, the devices or the health change; something fails
//	await FILE TEXT    waits until a file has TEXT
//	need PROGRAM       skips the script where there is no such program
//	matches FILE       stdout is FILE, in which AGO stands for any time
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			tb := e.T().(testing.TB)
			w := &world{t: tb, backend: dbustest.NewBackend()}
			w.backend.OnCall(w.hear)
			w.backend.Publish(func(s *report.Status) { s.Started = time.Now().Add(-2 * time.Hour) })
			e.Values[worldKey{}] = w
			dir := dbustest.Dir(tb)
			e.Setenv("XDG_RUNTIME_DIR", dir)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("HOME", e.WorkDir)
			completions, err := filepath.Abs("../../packaging/completions")
			if err != nil {
				return err
			}
			e.Setenv("COMPLETIONS", completions)
			e.Setenv("GORACE", "atexit_sleep_ms=10") // else each program waits a second
			return os.Mkdir(filepath.Join(dir, "midimon"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bus": startBus, "serve": serve, "exits": exits, "heard": heard, "invalid": invalid, "disabled": disabled,
			"stale": stale, "matches": matches, "ends": ends, "happens": happens, "await": await,
			"need": func(ts *testscript.TestScript, _ bool, args []string) { dbustest.Need(here(ts).t, args[0]) },
		},
	})
}

type worldKey struct{}

func here(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func (w *world) hear(method, arg string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, strings.TrimSpace(method+" "+arg))
	return nil
}

func startBus(ts *testscript.TestScript, _ bool, args []string) {
	extra := ""
	if len(args) > 0 {
		dir := ts.MkAbs("services")
		ts.Check(os.Mkdir(dir, 0o700))
		ts.Check(os.WriteFile(filepath.Join(dir, dbusapi.BusName+".service"),
			[]byte("[D-BUS Service]\nName="+dbusapi.BusName+"\nExec=/bin/sh -c \"touch "+ts.MkAbs("started")+"; exit 1\"\n"), 0o600))
		extra = "<servicedir>" + dir + "</servicedir>"
	}
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", dbustest.New(here(ts).t, extra).Address)
}

func serve(ts *testscript.TestScript, _ bool, args []string) {
	s, err := dbusapi.New(dbusapi.Options{Backend: here(ts).backend, Log: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	end := func() { cancel(); wait.Wait() }
	here(ts).end = end
	ts.Defer(end)
	if args[0] == "bus" {
		told := make(chan dbusapi.BusState, 1)
		wait.Go(func() {
			s.KeepBus(ctx, ts.Getenv("DBUS_SESSION_BUS_ADDRESS"), func(state dbusapi.BusState, _ error) { told <- state })
		})
		if state := <-told; state != dbusapi.BusConnected {
			ts.Fatalf("the bus is %s", state)
		}
		return
	}
	dir := filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "midimon")
	l, err := lock.Take(dir, "by a test")
	ts.Check(err)
	here(ts).end = func() { end(); _ = l.Close() }
	ts.Defer(func() { _ = l.Close() })
	socket, err := net.Listen("unix", filepath.Join(dir, "bus")) //nolint:noctx // local
	ts.Check(err)
	wait.Go(func() { _ = s.ServePrivate(ctx, socket) })
}

func ends(ts *testscript.TestScript, _ bool, _ []string) { here(ts).end() }

// happens makes the daemon have something to tell.
func happens(ts *testscript.TestScript, _ bool, args []string) {
	b := here(ts).backend
	at := time.UnixMicro(1_700_000_000_000_000)
	switch args[0] {
	case "unwatched":
		for over := time.Now().Add(patience); b.Watchers() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(over) {
				ts.Fatalf("somebody watches")
			}
		}
	case "messages":
		for over := time.Now().Add(patience); b.Watchers() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(over) {
				ts.Fatalf("nobody watches")
			}
		}
		b.See(
			report.Seen{Time: at, Device: "LPD8", Status: 0x99, Data1: 36, Value: 100, Mapping: "play"},
			report.Seen{Time: at, Device: "LPD8", Status: 0x99, Data1: 36},
			report.Seen{Time: at, Device: "Fader", Status: 0xb0, Data1: 7, Value: 64},
			report.Seen{Time: at, Device: "Fader", Status: 0xe0, Value: 8192},
			report.Seen{Time: at, Device: "LPD8", Mapping: "hold"},
			report.Seen{Time: at, Device: "LPD8", Status: 0xf0},
		)
	case "mode":
		b.Publish(func(s *report.Status) { s.Mode, s.BaseMode = args[1], args[1] })
	case "well":
		b.Publish(func(s *report.Status) {
			s.State, s.Health = report.Running, nil
			s.Devices[1].State = report.Connected
		})
	case "gone":
		b.Publish(func(s *report.Status) { s.Devices[0].State = report.Absent })
	case "fails":
		e := report.Event{Kind: report.ActionFailed, Mapping: "play", Mode: "Media", Error: "keys-unavailable", Detail: "no keyboard"}
		if len(args) > 1 { // quietly
			e.Detail = ""
		}
		b.Publish(nil, e)
	case "emits":
		b.Publish(nil, report.Event{Kind: report.Emitted, Name: "fader", Number: 0.5})
	case "quiet":
		b.Publish(func(s *report.Status) { s.Inhibitors = []report.Inhibitor{{Who: "me", Why: "a call"}} })
	default:
		ts.Fatalf("nothing like %q happens", args[0])
	}
}

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

func await(ts *testscript.TestScript, _ bool, args []string) {
	text := []byte(nil)
	for over := time.Now().Add(patience); time.Now().Before(over); time.Sleep(time.Millisecond) {
		text, _ = os.ReadFile(ts.MkAbs(args[0]))
		if regexp.MustCompile(args[1]).Match(text) {
			return
		}
	}
	ts.Fatalf("%s has no %q:\n%s", args[0], args[1], text)
}

// stale leaves the socket of a daemon that is gone.
func stale(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "midimon", "bus"), Net: "unix"})
	ts.Check(err)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func heard(ts *testscript.TestScript, _ bool, args []string) {
	w := here(ts)
	w.mu.Lock()
	defer w.mu.Unlock()
	want := strings.Join(args, " ")
	if len(w.heard) == 0 || w.heard[0] != want {
		ts.Fatalf("heard %q, want %q", w.heard, want)
	}
	w.heard = w.heard[1:]
}

func invalid(ts *testscript.TestScript, _ bool, _ []string) {
	b := here(ts).backend
	b.OnCall(func(string, string) error { return report.ErrConfigInvalid })
	b.Publish(func(s *report.Status) {
		s.Diagnostics = []report.Diagnostic{{
			Severity: report.Error, Code: "out-of-range", Message: "modes[0].name: too long", File: "config.toml", Line: 3, Column: 8, Hint: "less",
		}}
	})
}

func disabled(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(here(ts).backend.SetDeviceEnabled(context.Background(), args[0], false))
}

func matches(ts *testscript.TestScript, _ bool, args []string) {
	got := regexp.MustCompile(`\d+ \w+ \d+ \w+ ago`).ReplaceAllString(ts.ReadFile("stdout"), "AGO")
	if want := ts.ReadFile(args[0]); got != want {
		ts.Fatalf("printed\n%s\nwant\n%s", got, want)
	}
}
