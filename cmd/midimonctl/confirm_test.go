//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
)

// A trial is the real daemon, without a bus.
type trial struct {
	t      *testing.T
	dir    string
	bin    string
	config string
	env    []string
}

// prepare builds both programs, and starts neither.
func prepare(t *testing.T) *trial {
	t.Helper()
	dir := dbustest.Dir(t)
	x := &trial{
		t: t, dir: dir, bin: filepath.Join(dir, "bin"), config: filepath.Join(dir, "config.toml"),
		env: append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir, "XDG_STATE_HOME="+dir, "DBUS_SESSION_BUS_ADDRESS=",
			"DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere", "MIDIMON_ADDRESS=", "GORACE=atexit_sleep_ms=10"),
	}
	for _, program := range []string{"midimon", "midimonctl"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", x.bin+"/", "../"+program).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return x
}

// start starts the daemon.
func (x *trial) start(flags ...string) {
	x.t.Helper()
	daemon := exec.Command(filepath.Join(x.bin, "midimon"), append([]string{"--config", x.config, "--no-session-bus"}, flags...)...) //nolint:noctx // Cleanup ends it
	daemon.Env = x.env
	if err := daemon.Start(); err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
}

// until waits until a verb of midimonctl prints what is wanted.
func (x *trial) until(want string, verb ...string) {
	x.t.Helper()
	out := []byte(nil)
	for over := time.Now().Add(patience); time.Now().Before(over); time.Sleep(5 * time.Millisecond) {
		c := exec.CommandContext(x.t.Context(), filepath.Join(x.bin, "midimonctl"), verb...)
		c.Env = x.env
		if out, _ = c.CombinedOutput(); strings.Contains(string(out), want) {
			return
		}
	}
	x.t.Fatalf("%q does not say %q, but\n%s", verb, want, out)
}

// save writes a version of the configuration, which has one mapping, named after it.
func (x *trial) save(version int) {
	x.t.Helper()
	text := fmt.Sprintf("[[global_mappings]]\nname = \"version-%d\"\ntrigger = { type = \"Note\", note = 36 }\naction = { type = \"Keystroke\", keys = \"%c\" }\n",
		version, 'a'+version)
	if err := os.WriteFile(x.config, []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// acts waits until a version acts, whoever made it.
func (x *trial) acts(version int) {
	x.t.Helper()
	x.until(fmt.Sprintf("version-%d ", version), "mappings")
}

// asked is "midimonctl reload --confirm" that waits for an answer.
type asked struct {
	*exec.Cmd
	t      *testing.T
	answer io.WriteCloser
	mu     sync.Mutex
	said   bytes.Buffer
}

func (a *asked) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said.Write(b)
}

func (a *asked) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said.String()
}

// confirm runs it until it asks.
func (x *trial) confirm(within string) *asked {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), 2*patience)
	x.t.Cleanup(cancel)
	a := &asked{t: x.t, Cmd: exec.CommandContext(ctx, filepath.Join(x.bin, "midimonctl"), "reload", "--confirm", within)}
	a.Env, a.Stdout, a.Stderr = x.env, a, a
	a.WaitDelay = patience
	var err error
	if a.answer, err = a.StdinPipe(); err != nil {
		x.t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		x.t.Fatal(err)
	}
	for over := time.Now().Add(patience); !strings.Contains(a.text(), "keep it? [y/N] midimon goes back in "+within); time.Sleep(time.Millisecond) {
		if time.Now().After(over) {
			x.t.Fatalf("it does not ask, but says\n%s", a.text())
		}
	}
	return a
}

// says gives it an answer, unless that is empty, and wants its exit status and a part of what it says.
func (a *asked) says(answer string, status int, want ...string) {
	a.t.Helper()
	if answer != "" {
		if _, err := io.WriteString(a.answer, answer+"\n"); err != nil {
			a.t.Fatal(err)
		}
	}
	_ = a.Wait()
	if got := a.ProcessState.ExitCode(); got != status {
		a.t.Errorf("exit %d, want %d", got, status)
	}
	for _, w := range want {
		if !strings.Contains(a.text(), w) {
			a.t.Errorf("%q is not in\n%s", w, a.text())
		}
	}
}

const overtaken = "a newer configuration came meanwhile, and acts"

// TestConfirm tries configurations out with the real daemon, which keeps the time itself.
func TestConfirm(t *testing.T) {
	x := prepare(t)
	x.save(1)
	x.start("--dry-run")
	x.acts(1)

	x.save(2)
	x.confirm("20s").says("y", 0, "+  version-2", "-  version-1")
	x.acts(2)

	x.save(3)
	x.confirm("20s").says("n", 1, "+  version-3", "-  version-2", "not confirmed: the configuration before acts again")
	x.acts(2)

	x.save(4)
	x.confirm("1s").says("", 1, "not confirmed: the configuration before acts again")
	x.acts(2)

	x.save(5)
	a := x.confirm("1s")
	if err := a.Process.Kill(); err != nil { // who asked is gone, as its terminal may be
		t.Fatal(err)
	}
	x.acts(2)
	a.says("", -1)

	x.save(6) // which is read by itself
	x.acts(6)
	x.confirm("20s").says("no", 1, "+  version-6", "-  version-2")
	x.acts(2)

	x.save(7)
	a = x.confirm("2s")
	x.save(8) // somebody goes on editing: this is what acts, and nothing goes back
	x.acts(8)
	a.says("", 1, overtaken)
	for _, answer := range []string{"y", "n"} {
		x.save(9)
		a = x.confirm("20s")
		x.save(8)
		x.acts(8)
		a.says(answer, 1, overtaken)
	}
	x.acts(8)
}
