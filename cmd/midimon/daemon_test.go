//go:build linux

package main

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

// process is the real program, as go build makes it, with directories and a bus of its own.
type process struct {
	t      *testing.T
	dir    string
	bus    *dbustest.Bus
	cmd    *exec.Cmd
	stderr seen
	socket string // address of its private socket
	ended  bool
}

// spawn starts the program with that configuration, in which $DIR is its directory.
func spawn(t *testing.T, configuration string, args ...string) *process {
	t.Helper()
	program := os.Getenv("MIDIMON_TEST_PROGRAM") // where nothing can be built
	if program == "" {
		program = filepath.Join(t.TempDir(), "midimon")
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	p := &process{t: t, dir: dbustest.Dir(t), bus: dbustest.Any(t)}
	text := strings.ReplaceAll(configuration, "$DIR", p.dir)
	if err := os.WriteFile(filepath.Join(p.dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(program, append([]string{"--config", filepath.Join(p.dir, "config.toml")}, args...)...) //nolint:noctx // end ends it
	p.cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+p.dir, "XDG_STATE_HOME="+p.dir, "DBUS_SESSION_BUS_ADDRESS="+p.bus.Address,
		"GOTRACEBACK=all", "GODEBUG=gctrace=1", "NOTIFY_SOCKET=")
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(syscall.SIGTERM) })
	p.socket = dbusapi.UnixAddress(filepath.Join(p.dir, "midimon", "bus"))
	p.eventually("it serves its socket", func() bool {
		c, err := dbus.Connect(p.socket)
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		v, err := c.Object(dbusapi.BusName, dbusapi.RootPath).GetProperty(dbusapi.BusName + ".State")
		return err == nil && v.Value() != "starting"
	})
	return p
}

// end ends it by a signal and returns what it wrote to stderr.
func (p *process) end(s syscall.Signal) string {
	if !p.ended {
		p.ended = true
		_ = p.cmd.Process.Signal(s)
		_ = p.cmd.Wait()
	}
	return p.stderr.String()
}

func (p *process) eventually(what string, ok func() bool) {
	p.t.Helper()
	for over := time.Now().Add(patience); !ok(); {
		if time.Now().After(over) {
			p.t.Fatalf("not so: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// dial connects a client to its private socket.
func (p *process) dial() *dbus.Conn {
	p.t.Helper()
	c, err := dbus.Connect(p.socket, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// call calls a method of the root object and stores its results.
func (p *process) call(c *dbus.Conn, method string, results []any, args ...any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := c.Object(dbusapi.BusName, dbusapi.RootPath).CallWithContext(ctx, method, 0, args...).Store(results...); err != nil {
		p.t.Fatalf("%s: %v", method, err)
	}
}

func (p *process) descriptors() int { return descriptors(p.t, p.cmd.Process.Pid) }

// memory is how much it has for itself, in kB: the least of a second after it has collected its
// garbage, since it works on meanwhile, and gives back in pieces.
func (p *process) memory() int {
	p.collect()
	least := math.MaxInt
	for over := time.Now().Add(time.Second); time.Now().Before(over); time.Sleep(10 * time.Millisecond) {
		least = min(least, memory(p.t, p.cmd.Process.Pid, "Anonymous:"))
	}
	return least
}

var inUse = regexp.MustCompile(`(\d+) MB, \d+ MB goal.*\(forced\)\n`)

// collect has it collect its garbage, as it does a second after a reload, and returns how much is
// in use then, in MB: less than all that it has, which has holes.
func (p *process) collect() (live int) {
	p.t.Helper()
	c := p.dial()
	defer func() { _ = c.Close() }()
	before := len(inUse.FindAllString(p.stderr.String(), -1))
	p.call(c, dbusapi.BusName+".Reload", []any{new(uint64), new([]dbusapi.Diagnostic)})
	p.eventually("garbage is collected", func() bool {
		all := inUse.FindAllStringSubmatch(p.stderr.String(), -1)
		if len(all) > before {
			live, _ = strconv.Atoi(all[len(all)-1][1])
		}
		return len(all) > before
	})
	return live
}

// startedByUs is where a goroutine that is not the runtime's own was started.
var startedByUs = regexp.MustCompile(`(?m)^created by [^r]|^created by r[^u]`)

// goroutines ends it and counts those that its own code had started.
func (p *process) goroutines() (int, string) {
	text := p.end(syscall.SIGQUIT)
	text = text[max(strings.Index(text, "SIGQUIT"), 0):]
	return len(startedByUs.FindAllString(text, -1)), text
}
