//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

const stormy = `
[[devices]]
name = "pads"
match = "raw:$DIR/pads"
[[devices]]
name = "plug"
match = "raw:$DIR/plug"
optional = true
[[modes]]
name = "One"
[[modes]]
name = "Two"
[[modes]]
name = "Three"
[[global_mappings]]
name = "play"
trigger = { type = "Note", note = 36 }
action = { type = "Keystroke", keys = "a" }
`

// What may befall the bus and its callers, and how long each lasts at least.
var storms = []struct {
	name string
	do   func(*process)
}{
	{"introspection during 1,000 hot-plugs", (*process).hotPlugs},
	{"2,000 calls at once, on either way", (*process).pipeline},
	{"the bus is killed and started again", (*process).killBus},
	{"the bus is stopped for 10 s", (*process).stopBus},
	{"subscribers that do not read", (*process).stuckSubscribers},
	{"callers that leave what they hold", (*process).leavingHolders},
}

// TestStorms holds that notes do not suffer, whatever happens on the bus, and that nothing grows.
// The goal is a 99th percentile of at most three times that of a quiet minute in the same run, and
// no note later than 50 ms. "packaging/dev soak" measures against that. Everybody else has a shorter
// quiet, may be on a machine that others keep busy, and is told how far from the goal it was: only
// ten times as much is a failure, which is still far below what waiting for a bus would take. Other
// work on the machine makes a pass worse and never better, so a storm that was too much has
// another try.
func TestStorms(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	const (
		warmFor = 4 * time.Second
		tries   = 3
		goal    = 3
		late    = 50 * time.Millisecond
		// Three times some microseconds is less than what a machine with other work resolves.
		unseen = time.Millisecond
	)
	quietFor, room := 10*time.Second, time.Duration(10)
	if os.Getenv("MIDIMON_SOAK") != "" {
		quietFor, room = time.Minute, 1
	}
	quiet := spawn(t, stormy, "--dry-run")
	if err := syscall.Mkfifo(filepath.Join(quiet.dir, "pads"), 0o600); err != nil {
		t.Fatal(err)
	}
	quiet.awaitDevice("pads", "connected")
	idle, _ := quiet.goroutines()

	p := spawn(t, stormy, "--dry-run")
	pads := filepath.Join(p.dir, "pads")
	if err := syscall.Mkfifo(pads, 0o600); err != nil {
		t.Fatal(err)
	}
	p.awaitDevice("pads", "connected")
	y := p.play(pads)
	for range 20 { // what it needs from the first time on
		p.hotPlug()
		p.visit()
	}
	p.pipeline()
	p.killBus()
	time.Sleep(warmFor)
	y.latency()
	calm := time.Duration(0)
	rest := func(d time.Duration) {
		time.Sleep(d)
		p99, most, n := y.latency()
		t.Logf("%-40s p99 %7v, most %7v, %d notes in %v", "quiet", p99, most, n, d)
		calm = max(calm, p99)
	}
	rest(quietFor)
	fds, memory := p.descriptors(), p.memory()
	for _, storm := range storms {
		for try := 1; ; try++ {
			y.latency()
			storm.do(p)
			time.Sleep(100 * time.Millisecond) // the last notes are asked about
			p99, most, n := y.latency()
			t.Logf("%-40s p99 %7v, most %7v, %d notes: %.1f times quiet, the goal is %d and %v", storm.name, p99, most, n, float64(p99)/float64(calm), goal, late)
			if p99 <= room*max(goal*calm, unseen) && most <= room*late {
				break
			}
			if try == tries {
				t.Errorf("%s: p99 %v, most %v, with p99 %v when it is quiet", storm.name, p99, most, calm)
				break
			}
			time.Sleep(time.Second)
			y.latency()
			rest(warmFor)
		}
	}
	p.eventually("as many files as before", func() bool { return p.descriptors() <= fds })
	grown := p.memory() - memory
	for over := time.Now().Add(patience); grown > 1024 && time.Now().Before(over); { // what the storms left may still be at work
		grown = p.memory() - memory
	}
	t.Logf("memory: %d kB, %+d, the goal is at most +1024", memory, grown)
	if grown > 4*1024 { // what the runtime holds back on a busy machine is less
		t.Errorf("%d kB more memory than before", grown)
	}
	y.end()
	p.eventually("nobody is connected", func() bool { return p.descriptors() < fds })
	if now, text := p.goroutines(); now > idle+slack {
		t.Errorf("%d goroutines, %d in one that did nothing\n%s", now, idle, text)
	}
}

func (p *process) awaitDevice(id, state string) {
	p.t.Helper()
	c := p.dial()
	defer func() { _ = c.Close() }()
	o := c.Object(dbusapi.BusName, dbusapi.DevicePath(id))
	p.eventually(id+" is "+state, func() bool {
		v, err := o.GetProperty(dbusapi.DeviceInterface + ".State")
		return err == nil && v.Value() == state
	})
}

// hotPlug plugs a controller and takes it away again.
func (p *process) hotPlug() {
	path := filepath.Join(p.dir, "plug")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.awaitDevice("plug", "connected")
	if err := os.Remove(path); err != nil {
		p.t.Fatal(err)
	}
	p.awaitDevice("plug", "absent")
}

// visit is what happens on the bus once.
func (p *process) visit() {
	if out, err := exec.CommandContext(p.t.Context(), "busctl", "--address="+p.bus.Address, "tree", dbusapi.BusName).CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	p.holdAndLeave(p.bus.Dial())
	c, err := dbus.Connect(p.socket)
	if err != nil {
		p.t.Fatal(err)
	}
	p.holdAndLeave(c)
}

func (p *process) hotPlugs() {
	plugged := make(chan struct{})
	go func() {
		defer close(plugged)
		path := filepath.Join(p.dir, "plug")
		for range 1000 {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				p.t.Error(err)
			}
			time.Sleep(time.Millisecond)
			if err := os.Remove(path); err != nil {
				p.t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	c := p.bus.Dial()
	defer func() { _ = c.Close() }()
	trees := 0
	for done := false; !done; {
		select {
		case <-plugged:
			done = true
		default:
		}
		if trees%10 == 0 {
			p.visit()
		}
		trees++
		p.walk(c, "/")
	}
	p.t.Logf("%d trees", trees)
	p.awaitDevice("plug", "absent")
}

// walk introspects everything below a path.
func (p *process) walk(c *dbus.Conn, path string) {
	var text string
	err := c.Object(dbusapi.BusName, dbus.ObjectPath(path)).Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Store(&text)
	if err != nil { // it was unplugged
		return
	}
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), `<node name="`); ok {
			name, _, _ = strings.Cut(name, `"`)
			p.walk(c, strings.TrimSuffix(path, "/")+"/"+name)
		}
	}
}

// pipeline sends calls without waiting for replies. Each is performed and answered in its turn.
func (p *process) pipeline() {
	for _, c := range []*dbus.Conn{p.bus.Dial(), p.dial()} {
		const calls = 2000
		replies := make(chan *dbus.Call, calls)
		root := c.Object(dbusapi.BusName, dbusapi.RootPath)
		p.call(c, "org.freedesktop.DBus.Properties.Set", nil, dbusapi.BusName, "Mode", dbus.MakeVariant("One"))
		go func() {
			for range calls {
				root.Go(dbusapi.BusName+".CycleMode", 0, replies, int32(1))
			}
		}()
		for i := range calls {
			k := <-replies
			if want := []string{"Two", "Three", "One"}[i%3]; k.Err != nil || k.Body[0] != want {
				p.t.Fatalf("reply %d is %v (%v), want %s", i, k.Body, k.Err, want)
			}
		}
		_ = c.Close()
	}
}

func (p *process) killBus() {
	for range 5 {
		p.bus.Kill()
		time.Sleep(200 * time.Millisecond)
		p.bus.Start()
		p.onBus()
	}
}

// onBus waits until it has its name.
func (p *process) onBus() {
	p.t.Helper()
	c := p.bus.Dial()
	defer func() { _ = c.Close() }()
	p.eventually("it has its name", func() bool {
		has := false
		return c.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, dbusapi.BusName).Store(&has) == nil && has
	})
}

func (p *process) stopBus() {
	p.bus.Stop()
	c := p.dial()
	for over := time.Now().Add(10 * time.Second); time.Now().Before(over); time.Sleep(5 * time.Millisecond) {
		p.call(c, dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1)) // which is to be told on the bus
	}
	_ = c.Close()
	p.bus.Continue()
	p.onBus()
}

// stuckSubscribers want everything and read nothing, on the bus and on the private socket.
func (p *process) stuckSubscribers() {
	raw, err := net.Dial("unix", filepath.Join(p.dir, "midimon", "bus")) //nolint:noctx // local
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := io.WriteString(raw, "\x00AUTH EXTERNAL 30\r\nBEGIN\r\n"); err != nil {
		p.t.Fatal(err)
	}
	if _, err := bufio.NewReader(io.LimitReader(raw, 37)).ReadString('\n'); err != nil {
		p.t.Fatal(err)
	}
	m := dbus.Message{Type: dbus.TypeMethodCall, Flags: dbus.FlagNoReplyExpected, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(dbusapi.RootPath), dbus.FieldInterface: dbus.MakeVariant(dbusapi.MonitorInterface),
		dbus.FieldMember: dbus.MakeVariant("Subscribe"), dbus.FieldSignature: dbus.MakeVariant(dbus.ParseSignatureMust("a{sv}")),
	}, Body: []any{map[string]dbus.Variant{}}}
	var wire bytes.Buffer
	if err := m.EncodeTo(&wire, binary.LittleEndian); err != nil {
		p.t.Fatal(err)
	}
	wire.Bytes()[8] = 1 // the serial
	if _, err := raw.Write(wire.Bytes()); err != nil {
		p.t.Fatal(err)
	}
	monitor := exec.CommandContext(p.t.Context(), "dbus-monitor", "--address", p.bus.Address)
	out, err := monitor.StdoutPipe() // which nobody reads
	if err != nil {
		p.t.Fatal(err)
	}
	if err := monitor.Start(); err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = monitor.Process.Kill(); _ = out.Close(); _ = monitor.Wait() }()
	c := p.bus.Dial()
	defer func() { _ = c.Close() }()
	p.call(c, dbusapi.MonitorInterface+".EnableSignals", []any{new(uint32)}, uint32(10), uint32(25), map[string]dbus.Variant{})
	for over := time.Now().Add(6 * time.Second); time.Now().Before(over); {
		p.call(c, dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1))
	}
}

func (p *process) leavingHolders() {
	for range 100 {
		p.visit()
	}
	c := p.dial()
	defer func() { _ = c.Close() }()
	p.eventually("nobody asks for quiet", func() bool {
		v, err := c.Object(dbusapi.BusName, dbusapi.RootPath).GetProperty(dbusapi.BusName + ".Inhibitors")
		return err == nil && fmt.Sprint(v.Value()) == "[]"
	})
}

func (p *process) holdAndLeave(c *dbus.Conn) {
	p.call(c, dbusapi.BusName+".HoldMode", []any{new(uint32)}, "Two", "", "")
	p.call(c, dbusapi.BusName+".Inhibit", []any{new(uint32)}, "test", "test")
	p.call(c, dbusapi.BusName+".ReportFocus", nil, "test", "")
	_ = c.Close()
}
