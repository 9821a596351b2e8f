//go:build linux

package desktoptest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Limit is how long anything here is waited for.
const Limit = 30 * time.Second

// A Desktop is a display and what belongs to it. Its fields are not changed after it is made.
type Desktop struct {
	Env []string // of its programs: DISPLAY or WAYLAND_DISPLAY, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, HOME ...
	Dir string   // its XDG_RUNTIME_DIR, which is also its HOME

	t        testing.TB
	user     *syscall.Credential                    // as whom its programs run; nil: as the test
	daemon   *Program                               // of the session bus
	display  *Program                               // the server
	seat     func(method string, args ...any) error // of GNOME: does something with its keyboard and mouse
	settings map[string]string                      // of GNOME: by group and key
	restart  func()                                 // starts it
	front    func(title string)                     // returns when the window of that title has the keyboard
	term     []string                               // a terminal; its title and command follow
}

// New is a desktop without a display: a directory and a session bus, for tests that need no
// more. Extra is put into the configuration of the bus: <servicedir> and the like; without,
// the bus starts no services.
func New(t testing.TB, extra ...string) *Desktop {
	t.Helper()
	return newDesktop(t, nil, extra)
}

func newDesktop(t testing.TB, as *syscall.Credential, extra []string) *Desktop {
	t.Helper()
	dir, err := os.MkdirTemp("", "midimon") //nolint:usetesting // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &Desktop{t: t, Dir: dir, user: as}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	d.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "XDG_CONFIG_HOME=" + dir + "/config", "LANG=C.UTF-8", "SHELL=/bin/sh",
		"LIBGL_ALWAYS_SOFTWARE=1", "NO_AT_BRIDGE=1",
	}
	d.bus(extra)
	return d
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
%s
</busconfig>
`

func (d *Desktop) bus(extra []string) {
	d.t.Helper()
	d.Write("bus.conf", fmt.Sprintf(busConfig, d.Dir, strings.Join(extra, "\n")))
	d.startBus()
	d.Env = append(d.Env, "DBUS_SESSION_BUS_ADDRESS=unix:path="+d.Dir+"/bus")
}

func (d *Desktop) startBus() {
	d.t.Helper()
	d.daemon = d.Start("dbus-daemon", "--config-file="+d.Dir+"/bus.conf", "--nofork", "--nopidfile", "--print-address")
	d.daemon.Wait("unix:")
}

// RestartBus ends the session bus as if it had crashed, and starts another in its place.
func (d *Desktop) RestartBus() {
	d.t.Helper()
	d.daemon.Kill()
	_ = os.Remove(filepath.Join(d.Dir, "bus")) // a new one does not listen where a file is
	d.startBus()
}

// Dial is a connection of the caller's own to the session bus, until the test ends.
func (d *Desktop) Dial() *dbus.Conn {
	d.t.Helper()
	conn, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Write writes a file below Dir and returns its path.
func (d *Desktop) Write(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// Getenv is a variable of Env, or empty.
func (d *Desktop) Getenv(name string) string {
	for i := len(d.Env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(d.Env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// Setenv gives the test's own process the variables by which a display is found, and takes
// away those of any other.
func (d *Desktop) Setenv(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SWAYSOCK", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE",
	} {
		t.Setenv(name, d.Getenv(name))
	}
}

// Stop ends the server of the display as if it had crashed.
func (d *Desktop) Stop() { d.display.Kill() }

// Restart starts the compositor of Sway again after Stop. Env has its new place.
func (d *Desktop) Restart() {
	d.t.Helper()
	d.restart()
}

// Command is a program on the desktop, not started yet.
func (d *Desktop) Command(name string, args ...string) *exec.Cmd {
	d.t.Helper()
	Need(d.t, name)
	c := exec.Command(name, args...) //nolint:noctx // the cleanup ends it, after the test's context
	c.Env, c.Dir = d.Env, d.Dir
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: d.user}
	return c
}

// Output runs a program to its end and returns what it says.
func (d *Desktop) Output(name string, args ...string) string {
	d.t.Helper()
	c := d.Command(name, args...)
	end := time.AfterFunc(Limit, func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	defer end.Stop()
	out, err := c.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, out)
	}
	return string(out)
}

// Fifo makes a named pipe below Dir whose lines Next of the result returns.
func (d *Desktop) Fifo(name string) *Lines {
	d.t.Helper()
	path := filepath.Join(d.Dir, name)
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil { //nolint:gosec // whoever runs the test may not be whom the pipe is for
		d.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0) // RDWR: it has no end
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = f.Close() })
	return &Lines{Path: path, t: d.t, file: f, r: bufio.NewReader(f)}
}

// Lines are what others write into a named pipe.
type Lines struct {
	Path string

	t    testing.TB
	file *os.File
	r    *bufio.Reader
}

// Next waits for a line and returns it, without its end.
func (l *Lines) Next() string {
	l.t.Helper()
	if err := l.file.SetReadDeadline(time.Now().Add(Limit)); err != nil {
		l.t.Fatal(err)
	}
	line, err := l.r.ReadString('\n')
	if err != nil {
		l.t.Fatalf("%s: %v, after %q", filepath.Base(l.Path), err, line)
	}
	return strings.TrimSuffix(line, "\n")
}

// Until calls ready until it says so, for conditions that nobody announces.
func Until(t testing.TB, what string, ready func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	for !ready() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, Limit)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Need skips the test when a program is missing; where everything is to be tested, that is a
// failure.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// nobody is as whom to run what refuses root, or nil when we are not root.
func nobody(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
