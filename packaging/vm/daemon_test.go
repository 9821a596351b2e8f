//go:build linux && vm

package vm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const configuration = `
[device]
name = "LPD8"

[[modes]]
name = "Default"
mappings = [
  { trigger = { type = "Note", note = 36, velocity_min = 64 }, action = { type = "Keystroke", keys = "t", modifiers = ["ctrl", "shift"] } },
  { trigger = { type = "Note", note = 36, velocity_max = 63 }, action = { type = "Keystroke", keys = "s" } },
  { trigger = { type = "LongPress", note = 37, duration_ms = 300 }, action = { type = "Keystroke", keys = "l" } },
  { trigger = { type = "CC", cc = 20, value_min = 100 }, action = { type = "Keystroke", keys = "c" } },
  { trigger = { type = "EncoderTurn", cc = 21, encoding = "twos-complement", direction = "Clockwise" }, action = { type = "Keystroke", keys = "right" } },
  { trigger = { type = "EncoderTurn", cc = 21, encoding = "twos-complement", direction = "CounterClockwise" }, action = { type = "Keystroke", keys = "left" } },
  { trigger = { type = "Note", note = 38 }, action = { type = "ModeChange", mode = "Second" } },
  { trigger = { type = "Note", note = 39 }, action = { type = "Keystroke", keys = "1" } },
]

[[modes]]
name = "Second"
mappings = [
  { trigger = { type = "Note", note = 38 }, action = { type = "ModeChange", mode = "Default" } },
  { trigger = { type = "Note", note = 39 }, action = { type = "Keystroke", keys = "2" } },
]

[[global_mappings]]
trigger = { type = "Note", note = 40 }
action = { type = "Keystroke", keys = "h", hold = true }
`

// configure writes the user's configuration, as the user's own, and forgets what the last
// test left behind: the mode is saved.
func configure(t *testing.T, text string) {
	t.Helper()
	dir := "/home/tester/.config/midimon"
	must(t, "mkdir", "-p", dir)
	must(t, "rm", "-rf", "/home/tester/.local/state/midimon")
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, tester, tester); err != nil {
		t.Fatal(err)
	}
}

// service starts the daemon as the user would and stops it when the test ends.
func service(t *testing.T) *bus {
	t.Helper()
	began := time.Now().Format("2006-01-02 15:04:05")
	configure(t, configuration)
	b := session(t, "")
	must(t, "systemctl", "--user", "daemon-reload")
	must(t, "systemctl", "--user", "start", "midimon")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(root(t, "journalctl", "--no-pager", "-o", "short-precise", "--since", began, "_UID=1000"))
		}
		stop := asTester(context.Background(), nil, "systemctl", "--user", "stop", "midimon.service", "midimon.socket")
		if out, err := stop.CombinedOutput(); err != nil {
			t.Errorf("stop: %v\n%s", err, out)
		}
	})
	return b
}

// ready is service with the controller connected and the keyboard listened to.
func ready(t *testing.T) (*bus, *controller, *keyboard) {
	t.Helper()
	c := plug(t)
	b := service(t)
	b.await(t, "ConnectedDevices", soon, equals("[LPD8]"))
	k := listen(t, "midimon keyboard")
	b.await(t, "State", soon, equals("running"))
	return b, c, k
}

// process is a daemon that the test started itself.
type process struct {
	*exec.Cmd
	log  *transcript
	done chan struct{}
}

// start runs the daemon without systemd.
func start(t *testing.T, env []string) *process {
	t.Helper()
	return startWith(t, configuration, env)
}

func startWith(t *testing.T, config string, env []string, flags ...string) *process {
	t.Helper()
	configure(t, config)
	p := &process{Cmd: asTester(context.Background(), env, "/usr/bin/midimon", flags...), log: newTranscript(), done: make(chan struct{})}
	p.Stderr, p.Stdout = p.log, p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.Wait() // the exit status is in ProcessState
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon said:\n%s", p.log)
		}
		if p.alive() {
			_ = p.Process.Signal(syscall.SIGTERM)
			p.exit(t, 30*time.Second)
		}
	})
	return p
}

func (p *process) alive() bool { return p.Process.Signal(syscall.Signal(0)) == nil }

// exit waits for the end and returns its status.
func (p *process) exit(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Errorf("still running after %v:\n%s", limit, strings.TrimSpace(p.log.String()))
		_ = p.Process.Kill()
		return -1
	}
}
