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
	"github.com/amiable-dev/midimon/dbusapi/dbustest"
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

// A stormed is a midimon in a storm.
type stormed struct {
	*process
	plug string // where its controller is plugged in: where only midimon's own watch looks
	size size
}

// size is how much of everything there is in the storms.
type size struct {
	plugs, visits     int
	stopped, unread   time.Duration
	quiet, warm, room time.Duration // room: how often the goal may be missed
}

// What may befall the bus and its callers.
var storms = []struct {
	name string
	do   func(*stormed)
}{
	{"introspection during hot-plugs", (*stormed).hotPlugs},
	{"2,000 calls at once, on either way", (*stormed).pipelines},
	{"the bus is killed and started again", (*stormed).killBus},
	{"the bus is stopped", (*stormed).stopBus},
	{"subscribers that do not read", (*stormed).stuckSubscribers},
	{"callers that leave what they hold", (*stormed).leavingHolders},
}

// TestStorms holds that notes do not suffer, whatever happens on the bus, and that nothing grows.
// The goal is a 99th percentile of at most three times that of a quiet minute in the same run, and
// no note later than 50 ms. A storm takes processors away as well, from whoever else is there: so each
// of them befalls another midimon before, while ours only plays, and beside that it is judged. "packaging/dev
// soak" measures against the goal. Everybody else has a shorter quiet, may be on a machine that others keep
// busy, and is told how far from the goal it was: only thirty times as much is a failure, which is still far
// below what waiting for a bus would take. Other work on the machine makes a pass worse and never better, so a
// storm that was too much has another try.
func TestStorms(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	const (
		tries = 3
		goal  = 3
		late  = 50 * time.Millisecond
		// Three times some microseconds is less than what a machine with other work resolves.
		unseen = time.Millisecond
	)
	full := size{plugs: 1000, visits: 100, stopped: 10 * time.Second, unread: 6 * time.Second, quiet: 10 * time.Second, warm: 4 * time.Second, room: 30}
	switch {
	case os.Getenv("MIDIMON_SOAK") != "":
		full.quiet, full.room = time.Minute, 1
	case raced: // the figures are those of another run, and of so few notes the hundredth part is chance
		full = size{plugs: 100, visits: 10, stopped: time.Second, unread: time.Second, quiet: time.Second, warm: time.Second, room: 100}
	}
	quiet := storm(t, full) // nothing befalls it
	p, other := storm(t, full), storm(t, full)
	for _, s := range []*stormed{other, p} {
		for range 20 { // what it needs from the first time on
			s.hotPlug()
			s.visit()
		}
		s.pipeline()
		s.killBus()
	}
	y := p.play(filepath.Join(p.dir, "pads"))
	time.Sleep(full.warm)
	calm := time.Duration(0)
	rest := func(d time.Duration) {
		y.latency()
		time.Sleep(d)
		is := y.latency()
		t.Logf("%-36s %v in %v", "quiet", is, d)
		calm = max(calm, is.p99)
	}
	during := func(do func(*stormed), s *stormed) figures {
		y.latency()
		do(s)
		time.Sleep(100 * time.Millisecond) // the last notes are asked about
		return y.latency()
	}
	rest(full.quiet)
	fds, memory := p.descriptors(), y.memory()
	for _, storm := range storms {
		for try := 1; ; try++ {
			beside := during(storm.do, other)
			is := during(storm.do, p)
			t.Logf("%-36s %v: %.1f times quiet, %.1f times the other's", storm.name, is, ratio(is.p99, calm), ratio(is.p99, max(beside.p99, calm)))
			t.Logf("%-36s %v: %.1f times quiet", "  the same befalls another midimon", beside, ratio(beside.p99, calm))
			if is.p99 <= full.room*max(goal*max(calm, beside.p99), unseen) && is.most <= full.room*max(late, beside.most) {
				break
			}
			if try == tries {
				t.Errorf("%s: %v, with a p99 of %v when it is quiet and %v when another has it", storm.name, is, calm, beside)
				break
			}
			rest(full.warm)
		}
	}
	t.Logf("the goals are %d times at most, and %v", goal, late)
	p.eventually("as many files as before", func() bool { return p.descriptors() <= fds })
	grown := y.memory() - memory
	for over := time.Now().Add(patience); grown > 1024 && time.Now().Before(over); { // what the storms left may still be at work
		grown = y.memory() - memory
	}
	t.Logf("memory: %d kB, %+d, the goal is at most +1024", memory, grown)
	if grown > 4*1024 { // what the runtime holds back on a busy machine is less
		t.Errorf("%d kB more memory than before", grown)
	}
	y.end()
	p.eventually("nobody is connected", func() bool { return p.descriptors() < fds })
	idle, _ := quiet.goroutines()
	if now, text := p.goroutines(); now > idle+slack {
		t.Errorf("%d goroutines, %d in one that did nothing\n%s", now, idle, text)
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// storm starts a midimon with pads.
func storm(t *testing.T, size size) *stormed {
	t.Helper()
	plug := filepath.Join(dbustest.Dir(t), "plug")
	s := &stormed{spawn(t, strings.ReplaceAll(stormy, "$DIR/plug", plug), "--dry-run"), plug, size}
	if err := syscall.Mkfifo(filepath.Join(s.dir, "pads"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.awaitDevice("pads", "connected")
	return s
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
func (p *stormed) hotPlug() {
	if err := syscall.Mkfifo(p.plug, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.awaitDevice("plug", "connected")
	if err := os.Remove(p.plug); err != nil {
		p.t.Fatal(err)
	}
	p.awaitDevice("plug", "absent")
}

// visit is what happens on the bus once.
func (p *stormed) visit() {
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

func (p *stormed) hotPlugs() {
	plugged := make(chan struct{})
	go func() {
		defer close(plugged)
		for range p.size.plugs {
			if err := syscall.Mkfifo(p.plug, 0o600); err != nil {
				p.t.Error(err)
			}
			time.Sleep(time.Millisecond)
			if err := os.Remove(p.plug); err != nil {
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

// pipelines is enough of them for enough notes to come meanwhile: one takes a fraction of a second.
func (p *stormed) pipelines() {
	for range 4 {
		p.pipeline()
	}
}

// pipeline sends calls without waiting for replies. Each is performed and answered in its turn.
func (p *stormed) pipeline() {
	for _, c := range []*dbus.Conn{p.bus.Dial(), p.dial()} {
		const calls = 2000
		replies := make(chan *dbus.Call, calls)
		root := c.Object(dbusapi.BusName, dbusapi.RootPath)
		p.call(c, "org.freedesktop.DBus.Properties.Set", nil, dbusapi.BusName, "Mode", dbus.MakeVariant("One"))
		p.eventually("nobody who left still holds a mode", func() bool {
			v, err := root.GetProperty(dbusapi.BusName + ".Mode")
			return err == nil && v.Value() == "One"
		})
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

func (p *stormed) killBus() {
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

func (p *stormed) stopBus() {
	p.bus.Stop()
	c := p.dial()
	for over := time.Now().Add(p.size.stopped); time.Now().Before(over); time.Sleep(5 * time.Millisecond) {
		p.call(c, dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1)) // which is to be told on the bus
	}
	_ = c.Close()
	p.bus.Continue()
	p.onBus()
}

// stuckSubscribers want everything and read nothing, on the bus and on the private socket.
func (p *stormed) stuckSubscribers() {
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
	for over := time.Now().Add(p.size.unread); time.Now().Before(over); {
		p.call(c, dbusapi.BusName+".CycleMode", []any{new(string)}, int32(1))
	}
}

func (p *stormed) leavingHolders() {
	for range p.size.visits {
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
