// Package dbustest gives tests a D-Bus session bus of their own and a daemon that answers on
// it without doing anything. It is not linked into any program.
package dbustest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
)

// A Bus is a dbus-daemon that starts no services. It ends with the test.
type Bus struct {
	Address string // stays the same through Kill and Start
	Socket  string // its path

	t      testing.TB
	config string
	daemon *exec.Cmd
}

// No servicedir: a test must not start programs of the machine. The limits are those of the
// session bus as it is distributed.
const config = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_match_rules_per_connection">50000</limit>
  <limit name="max_replies_per_connection">50000</limit>
%s</busconfig>
`

// shared names the address of a bus that runs already: tests that take any bus take that one, and
// cannot stop it.
const shared = "MIDIMON_TEST_BUS"

// Any is New, or the bus that the environment names.
func Any(t testing.TB) *Bus {
	t.Helper()
	if address := os.Getenv(shared); address != "" {
		return &Bus{Address: address, t: t}
	}
	return New(t)
}

// New starts a bus. Extra is put into its configuration: <servicedir> and the like.
func New(t testing.TB, extra ...string) *Bus {
	t.Helper()
	b := Prepare(t, extra...)
	b.Start()
	return b
}

// Prepare is a bus that is not started yet.
func Prepare(t testing.TB, extra ...string) *Bus {
	t.Helper()
	Need(t, "dbus-daemon")
	dir := Dir(t)
	b := &Bus{t: t, Socket: filepath.Join(dir, "bus"), config: filepath.Join(dir, "bus.conf")}
	b.Address = "unix:path=" + b.Socket
	text := fmt.Sprintf(config, b.Address, strings.Join(extra, "\n"))
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	return b
}

// Start starts the bus and returns when it listens.
func (b *Bus) Start() {
	b.t.Helper()
	b.daemon = exec.Command("dbus-daemon", "--config-file="+b.config, "--nofork", "--nopidfile", "--print-address") //nolint:noctx // Kill ends it, after the test's context
	out, err := b.daemon.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.daemon.Start(); err != nil {
		b.t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.t.Fatalf("dbus-daemon does not start: %v", err)
	}
}

// Kill ends the bus at once and leaves its socket behind.
func (b *Bus) Kill() {
	if b.daemon == nil {
		return
	}
	_ = b.daemon.Process.Kill()
	_ = b.daemon.Wait()
	b.daemon = nil
}

// Stop makes the bus hang until Continue.
func (b *Bus) Stop() { b.signal(syscall.SIGSTOP) }

// Continue ends Stop.
func (b *Bus) Continue() { b.signal(syscall.SIGCONT) }

func (b *Bus) signal(s syscall.Signal) {
	b.t.Helper()
	if err := b.daemon.Process.Signal(s); err != nil {
		b.t.Fatal(err)
	}
}

// Dial connects a client.
func (b *Bus) Dial() *dbus.Conn {
	b.t.Helper()
	c, err := dbus.Connect(b.Address, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Dir is a temporary directory whose name is short enough for unix sockets, which take 107
// bytes.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "midimon") //nolint:usetesting // t.TempDir is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Need skips the test when a program is missing; where everything is to be tested, that is a
// failure.
func Need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("MIDIMON_TEST") == "all" {
		t.Fatalf("%s is missing", program)
	}
	t.Skipf("%s is missing", program)
}
