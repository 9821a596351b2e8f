//go:build linux && vm

package vm

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const programs = `
[device]
name = "LPD8"

[[global_mappings]]
name = "lasting"
trigger = { type = "Note", note = 36 }
action = { type = "Launch", app = "~/lasting" }

[[global_mappings]]
name = "none"
trigger = { type = "Note", note = 37 }
action = { type = "Launch", app = "org.example.None" }

[[global_mappings]]
name = "unstartable"
trigger = { type = "Note", note = 38 }
action = { type = "Launch", app = "~/unstartable" }

[[global_mappings]]
name = "forks"
trigger = { type = "Note", note = 39 }
action = { type = "Shell", command = "echo forking; (while :; do setsid sleep 97531 & done); exec sleep 97531", timeout_ms = 3000 }

[[global_mappings]]
name = "fails"
trigger = { type = "Note", note = 40 }
action = { type = "Shell", command = "echo $MIDIMON_VALUE of $MIDIMON_MAPPING >~/said; exit 3" }

[[global_mappings]]
name = "free"
trigger = { type = "Note", note = 41 }
action = { type = "Shell", command = "umask >~/free.new; grep -E 'NoNewPrivs|Seccomp:' /proc/self/status >>~/free.new; readlink /proc/self/ns/user /proc/self/ns/mnt >>~/free.new; ulimit -c >>~/free.new; mv ~/free.new ~/free" }
`

// program writes a script of the user's.
func program(t *testing.T, name, text string) {
	t.Helper()
	path := "/home/tester/" + name
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, tester, tester); err != nil {
		t.Fatal(err)
	}
}

// said waits for a line in a file of the user's.
func said(t *testing.T, name string) string {
	t.Helper()
	path := "/home/tester/" + name
	var line string
	waitFor(t, "/home/tester", path, func() bool {
		text, _ := os.ReadFile(path)
		line = string(text)
		return strings.HasSuffix(line, "\n")
	})
	return strings.TrimSpace(line)
}

// failed waits for the signal that a mapping failed.
func (b *bus) failed(t *testing.T, mapping, word string) string {
	t.Helper()
	over := time.After(30 * time.Second)
	for {
		select {
		case s := <-b.signals:
			if strings.HasSuffix(s.Name, ".ActionFailed") && s.Body[0] == mapping {
				if s.Body[2] != word {
					t.Errorf("%s: %v, want %s", mapping, s.Body, word)
				}
				return fmt.Sprint(s.Body[3])
			}
		case <-over:
			t.Fatalf("nobody said that %s failed", mapping)
		}
	}
}

// parent is the process that must reap a process, 0 if there is no such.
func parent(t *testing.T, pid string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nPPid:")
	field, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(field))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPrograms(t *testing.T) {
	c := plug(t)
	b := service(t)
	program(t, "lasting", "#!/bin/sh\nrm -f ~/pid.new; echo $$ >~/pid.new; mv ~/pid.new ~/pid\nexec sleep 24680\n")
	program(t, "unstartable", "#!/no/such/shell\n")
	for _, name := range []string{"pid", "said", "free"} {
		_ = os.Remove("/home/tester/" + name)
	}
	configure(t, programs)
	must(t, "systemctl", "--user", "restart", "midimon")
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	daemon := func() uint32 { return b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid != 0 }) }

	t.Run("a launched program outlives midimon", func(t *testing.T) {
		c.tap(t, 36, 100)
		pid := said(t, "pid")
		t.Cleanup(func() { root(t, "kill", pid) })
		manager := strings.TrimSpace(root(t, "pgrep", "-u", "tester", "-xo", "systemd"))
		if got := parent(t, pid); strconv.Itoa(got) != manager {
			t.Errorf("its parent is %d, want the service manager %s", got, manager)
		}
		must(t, "systemctl", "--user", "restart", "midimon")
		daemon()
		if parent(t, pid) == 0 {
			t.Error("it ended with midimon")
		}
		b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	})
	t.Run("failures are told", func(t *testing.T) {
		c.tap(t, 37, 100)
		has(t, b.failed(t, "none", "not-started"), "org.example.None")
		c.tap(t, 38, 100)
		has(t, b.failed(t, "unstartable", "not-started"), "unstartable")
	})
	t.Run("a command that forks without end is contained and ended", func(t *testing.T) {
		was := daemon()
		c.tap(t, 39, 100)
		has(t, b.failed(t, "forks", "timed-out"), "3s")
		root(t, "sh", "-c", "for i in $(seq 100); do pgrep -f '^sleep 97531' >/dev/null || exit 0; sleep .1; done; exit 1")
		if is := daemon(); is != was {
			t.Errorf("the daemon was %d and is %d", was, is)
		}
		has(t, root(t, "journalctl", "--no-pager", "-o", "cat", "_UID=1000"), "line=forking")
	})
	t.Run("a command that fails", func(t *testing.T) { // by now: two failures a second are told
		c.tap(t, 40, 77)
		has(t, b.failed(t, "fails", "exit-status"), "exit status 3")
		if got := said(t, "said"); got != "77 of fails" {
			t.Errorf("it saw %q", got)
		}
	})
	t.Run("nothing is taken from a command", func(t *testing.T) {
		c.tap(t, 41, 100)
		said(t, "free")
		got, err := os.ReadFile("/home/tester/free")
		if err != nil {
			t.Fatal(err)
		}
		// As for any other program of the user's.
		want := must(t, "sh", "-c", "umask; printf 'NoNewPrivs:\\t0\\nSeccomp:\\t0\\n'; readlink /proc/self/ns/user /proc/self/ns/mnt; ulimit -c")
		if string(got) != want {
			t.Errorf("a command has\n%s\nwant\n%s", got, want)
		}
		// The daemon itself, whose children it would be else.
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", daemon()))
		if err != nil {
			t.Fatal(err)
		}
		has(t, string(status), "NoNewPrivs:\t0\n")
		has(t, string(status), "Seccomp:\t0\n")
		has(t, must(t, "systemctl", "--user", "show", "midimon", "-p", "NoNewPrivileges"), "NoNewPrivileges=no\n")
	})
	if zombies, _ := user(t, "sh", "-c", "ps -o stat= --ppid "+strconv.Itoa(int(daemon()))+" | grep Z"); zombies != "" {
		t.Errorf("zombies: %s", zombies)
	}
}
