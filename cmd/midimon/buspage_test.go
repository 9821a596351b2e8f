//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/introspection"
	"github.com/amiable-dev/midimon/introspection/manual"
)

func TestBusPage(t *testing.T) {
	page, err := manual.Page()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "packaging", "doc", "dbus.md")
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil { //nolint:gosec // documentation
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != page {
		t.Errorf("%s is not what the contract says (%v); run: go test ./cmd/midimon -run BusPage -update", path, err)
	}
}

const documented = `
[[devices]]
name = "LPD8"
match = "raw:$PADS"
[[modes]]
name = "Default"
[[modes]]
name = "Media"
[[modes.mappings]]
name = "play"
trigger = { type = "Note", note = 36, device = "LPD8" }
action = { type = "Emit", name = "play", value = 1 }
[[modes.mappings]]
name = "fails"
trigger = { type = "Note", note = 37 }
action = { type = "Shell", command = "exit 3" }
`

// terminal is a raw device that can be sent to.
func terminal(t *testing.T) (path string, pads *os.File) {
	t.Helper()
	pads, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pads.Close() })
	fd := int(pads.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/dev/pts/%d", n), pads
}

// Every command of the page does what the page says, on a real bus, with the real program.
func TestBusPageExamples(t *testing.T) {
	for _, tool := range []string{"busctl", "gdbus", "dbus-monitor"} {
		dbustest.Need(t, tool)
	}
	path, pads := terminal(t)
	p := spawn(t, strings.ReplaceAll(documented, "$PADS", path))
	p.awaitDevice("LPD8", "connected")
	c := p.bus.Dial()
	s := &shell{t: t, p: p}
	all, err := introspection.Load()
	if err != nil {
		t.Fatal(err)
	}
	// What must be so before.
	before := map[string]func(){
		"Revert":      func() { s.edit(); p.call(c, dbusapi.BusName+".Reload", []any{new(uint64), new([]dbusapi.Diagnostic)}) },
		"ArmRevert":   func() { s.edit(); p.call(c, dbusapi.BusName+".Reload", []any{new(uint64), new([]dbusapi.Diagnostic)}) },
		"SendMessage": func() { go drain(pads) },
	}
	trigger := func(id string) func() {
		return func() { // too often, now and then
			c.Object(dbusapi.BusName, dbusapi.RootPath).Call(dbusapi.MappingsInterface+".Trigger", 0, id)
		}
	}
	// What makes a signal.
	causes := map[string]func(){
		"ModeChanged":    func() { p.call(c, dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1)) },
		"ReloadFinished": func() { p.call(c, dbusapi.BusName+".Reload", []any{new(uint64), new([]dbusapi.Diagnostic)}) },
		"ActionFailed":   trigger("fails"),
		"Emitted":        trigger("play"),
		"ModeHoldReleased": func() {
			p.call(c, dbusapi.BusName+".HoldMode", []any{new(uint32)}, "Media", "", "")
			p.call(c, dbusapi.BusName+".Panic", nil)
		},
		"Events": func() {
			p.call(c, dbusapi.MonitorInterface+".EnableSignals", []any{new(uint32)}, uint32(10), uint32(25), map[string]dbus.Variant{})
			if _, err := pads.Write([]byte{0x90, 36, 100}); err != nil {
				t.Error(err)
			}
		},
	}
	for _, iface := range manual.Interfaces {
		i := all[iface]
		for n := range i.Properties {
			s.run(i.Properties[n].Name, manual.For(iface, i.Properties[n].Name), nil)
		}
		for n := range i.Methods {
			s.run(i.Methods[n].Name, manual.For(iface, i.Methods[n].Name), before[i.Methods[n].Name])
		}
		for n := range i.Signals {
			s.watch(i.Signals[n].Name, manual.For(iface, i.Signals[n].Name), causes[i.Signals[n].Name])
		}
	}
	if s.commands < 150 {
		t.Errorf("only %d commands were run", s.commands)
	}
}

// drain reads what is sent to the device, or its queue fills.
func drain(pads *os.File) {
	_, _ = pads.Read(make([]byte, 4096))
}

// shell runs what the page says.
type shell struct {
	t        *testing.T
	p        *process
	commands int
	edits    int
}

// edit makes the configuration another one.
func (s *shell) edit() {
	s.edits++
	path := filepath.Join(s.p.dir, "config.toml")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, fmt.Appendf(text, "# %d\n", s.edits), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shell) command(line string) *exec.Cmd {
	s.commands++
	c := exec.CommandContext(s.t.Context(), "sh", "-c", line)
	c.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+s.p.bus.Address, "XDG_RUNTIME_DIR="+s.p.dir)
	return c
}

func (s *shell) run(member string, e manual.Example, before func()) {
	s.t.Helper()
	if e.Busctl == "" || e.Gdbus == "" || e.Shell == "" {
		s.t.Errorf("%s has no example", member)
	}
	for _, line := range []string{e.Busctl, e.Gdbus, e.Shell} {
		if before != nil {
			before()
		}
		if member == "Keep" { // what ArmRevert returned
			s.edit()
			c := s.p.dial()
			var generation uint64
			s.p.call(c, dbusapi.BusName+".Reload", []any{new(uint64), new([]dbusapi.Diagnostic)})
			s.p.call(c, dbusapi.BusName+".ArmRevert", []any{&generation}, uint32(20_000))
			_ = c.Close()
			line = strings.ReplaceAll(line, " t 2", fmt.Sprintf(" t %d", generation))
			line = strings.ReplaceAll(line, "Keep 2", fmt.Sprintf("Keep %d", generation))
		}
		out, err := s.command(line).CombinedOutput()
		switch {
		case e.Fails != "":
			if !strings.Contains(string(out), e.Fails) && !strings.Contains(string(out), "no such cookie") {
				s.t.Errorf("%s\n%s does not fail with %s", line, out, e.Fails)
			}
		case err != nil, len(out) == 0 && line == e.Shell, bytes.Contains(out, []byte("rror")) && e.Kind == "property" && !bytes.Contains(out, []byte("trigger")):
			s.t.Errorf("%s\n%v\n%s", line, err, out)
		}
	}
}

// watch runs each command until it tells of the signal.
func (s *shell) watch(member string, e manual.Example, cause func()) {
	s.t.Helper()
	for _, line := range []string{e.Busctl, e.Gdbus, e.Shell} {
		if line == "" {
			continue
		}
		c := s.command("exec " + line)
		if strings.Contains(line, " | ") {
			c = s.command(line)
		}
		var out seen
		c.Stdout = &out
		c.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			s.t.Fatal(err)
		}
		for over := time.Now().Add(patience); !out.has(member); {
			if time.Now().After(over) {
				s.t.Errorf("%s\ntells nothing of %s:\n%s", line, member, out.String())
				break
			}
			cause()
			time.Sleep(20 * time.Millisecond)
		}
		_ = unix.Kill(-c.Process.Pid, unix.SIGKILL)
		_ = c.Wait()
	}
}

// seen is what a command wrote so far.
type seen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *seen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// has says whether a line beyond what the command says at its beginning has the word.
func (s *seen) has(word string) bool { return strings.Contains(s.String(), word) }
