//go:build linux

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"midimon": main, "playnotes": playNotes})
}

// patience is how long a script waits for what must come. It is no delay: what comes is seen
// at once.
const patience = 30 * time.Second

// The scripts run the real daemon, with directories of its own and a service manager that
// listens. It finds no ALSA and no uinput: what plays is a FIFO, through the raw driver.
//
//	notified TEXT     waits until the daemon notifies its manager of a line with TEXT
//	play FILE HEX     writes bytes to a FIFO
//	send SIGNAL       sends TERM, HUP or KILL to the daemon started last
//	await FILE        waits until a file is there
//	gone FILE         waits until a file is there no more
//	absent FILE       fails if a file is there
//	dryrun FILE       compares the lines on stdout, without their times, with FILE
//	bus               starts a session bus; the address is in DBUS_SESSION_BUS_ADDRESS
//	pid               puts the process id of the daemon started last into $PID
//	chmod MODE FILE   changes a mode
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			for name, dir := range map[string]string{
				"XDG_RUNTIME_DIR": "run", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data",
			} {
				path := filepath.Join(e.WorkDir, dir)
				e.Setenv(name, path)
				if err := os.MkdirAll(path, 0o700); err != nil { // the script may have put files there
					return err
				}
			}
			packaging, err := filepath.Abs("../../packaging")
			if err != nil {
				return err
			}
			e.Setenv("PACKAGING", packaging)
			e.Setenv("GORACE", "atexit_sleep_ms=10")
			e.Setenv("PADS", filepath.Join(e.WorkDir, "pads"))
			if err := syscall.Mkfifo(filepath.Join(e.WorkDir, "pads"), 0o600); err != nil {
				return err
			}
			manager := filepath.Join(e.WorkDir, "notify")
			c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: manager, Net: "unixgram"})
			if err != nil {
				return err
			}
			e.Setenv("NOTIFY_SOCKET", manager)
			e.Values["manager"] = c
			e.Defer(func() { _ = c.Close() })
			return expand(e)
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("no condition %q", name)
			}
			if os.Geteuid() != 0 && os.Getenv("MIDIMON_TEST") == "all" {
				return false, errors.New("not everything can be tested without being root")
			}
			return os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"notified": notified, "play": playBytes, "send": send, "await": await, "absent": absent, "gone": gone, "dryrun": dryrun,
			"bus": startBus, "pid": pid, "chmod": chmod,
		},
	})
}

// expand puts the paths into the configuration files, which know none.
func expand(e *testscript.Env) error {
	files, err := filepath.Glob(filepath.Join(e.WorkDir, "*.toml"))
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f, []byte(strings.ReplaceAll(string(text), "$WORK", e.WorkDir)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func notified(ts *testscript.TestScript, _ bool, args []string) {
	c := ts.Value("manager").(*net.UnixConn)
	ts.Check(c.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			ts.Fatalf("no notification with %q: %v", args[0], err)
		}
		ts.Logf("notified: %s", buf[:n])
		if strings.Contains(string(buf[:n]), args[0]) {
			return
		}
	}
}

func playBytes(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	b, err := hex.DecodeString(strings.Join(args[1:], ""))
	ts.Check(err)
	_, err = f.Write(b)
	ts.Check(err)
	ts.Check(f.Close())
}

// last is the daemon started last.
func last(ts *testscript.TestScript) *exec.Cmd {
	var found *exec.Cmd
	for _, c := range ts.BackgroundCmds() {
		if strings.Contains(filepath.Base(c.Path), "midimon") {
			found = c
		}
	}
	if found == nil {
		ts.Fatalf("no daemon was started")
	}
	return found
}

func send(ts *testscript.TestScript, _ bool, args []string) {
	s := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}[args[0]]
	ts.Check(last(ts).Process.Signal(s))
}

func pid(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("PID", strconv.Itoa(last(ts).Process.Pid))
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	for over := time.Now().Add(patience); ; {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(over) {
			ts.Fatalf("%s does not come", path)
		}
		time.Sleep(time.Millisecond)
	}
}

func gone(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	for over := time.Now().Add(patience); ; {
		if _, err := os.Lstat(path); err != nil {
			return
		}
		if time.Now().After(over) {
			ts.Fatalf("%s stays", path)
		}
		time.Sleep(time.Millisecond)
	}
}

func absent(ts *testscript.TestScript, _ bool, args []string) {
	if _, err := os.Lstat(ts.MkAbs(args[0])); err == nil {
		ts.Fatalf("%s is there", args[0])
	}
}

var atUs = regexp.MustCompile(`^\{"at_us":\d+,`)

func dryrun(ts *testscript.TestScript, _ bool, args []string) {
	var got strings.Builder
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if !atUs.MatchString(line) {
			ts.Fatalf("a line has no time: %s", line)
		}
		got.WriteString(atUs.ReplaceAllString(line, "{"))
	}
	if want := ts.ReadFile(args[0]); got.String() != want {
		ts.Fatalf("got:\n%swant:\n%s", got.String(), want)
	}
}

func startBus(ts *testscript.TestScript, _ bool, _ []string) {
	path := ts.MkAbs("session-bus")
	address := "unix:path=" + path
	c := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address="+address) //nolint:noctx // Defer ends it
	c.Env = os.Environ()
	for _, name := range []string{"PATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "GORACE"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name)) // what it starts gets these
	}
	ts.Check(c.Start())
	ts.Defer(func() { _ = c.Process.Kill(); _ = c.Wait() })
	await(ts, false, []string{path})
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
}

func chmod(ts *testscript.TestScript, _ bool, args []string) {
	mode, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	ts.Check(os.Chmod(ts.MkAbs(args[1]), os.FileMode(mode)))
}
