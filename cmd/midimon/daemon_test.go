//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

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

// descriptors is how many files it has open.
func (p *process) descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(entries)
}

var anonymous = regexp.MustCompile(`(?m)^Anonymous: *(\d+) kB`)

// memory is how much it has for itself, in kB: the least of a second after it has collected its
// garbage, since it works on meanwhile, and gives back in pieces.
func (p *process) memory() int {
	p.collect()
	least := math.MaxInt
	for over := time.Now().Add(time.Second); time.Now().Before(over); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
		if err != nil {
			p.t.Fatal(err)
		}
		n, _ := strconv.Atoi(string(anonymous.FindSubmatch(text)[1]))
		least = min(least, n)
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

// player plays a FIFO of the configuration, as a controller would.
type player struct {
	p   *process
	end func() // stops it

	asking sync.Mutex // who holds it keeps questions from being asked

	mu    sync.Mutex
	last  uint64          // decision
	sent  []time.Duration // when each note was, on midimon's clock; the value of one says which it is
	taken []time.Duration
	whole []time.Duration // the same from when notes were sent
	lost  []time.Duration // the same of what is no note: ports that were lost
}

// told is how many values tell notes apart: more follow each other only when midimon stood still.
const told = 127

// play plays a note that is mapped every 2 ms and asks why of each, until the test ends.
func (p *process) play(path string) *player {
	p.t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	stop := make(chan struct{})
	var done sync.WaitGroup
	c := p.dial()
	y := &player{p: p, end: sync.OnceFunc(func() { close(stop); done.Wait(); _ = c.Close(); _ = f.Close() })}
	done.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for note := []byte{0x90, 36, 0}; ; note[0] ^= 0x10 {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			y.mu.Lock()
			note[2] = byte(1 + len(y.sent)%told) //nolint:gosec // that is a byte
			y.sent = append(y.sent, kernelTime())
			y.mu.Unlock()
			if _, err := f.Write(note); err != nil {
				p.t.Error(err)
				return
			}
		}
	})
	done.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				y.ask(c)
			}
		}
	})
	p.t.Cleanup(y.end)
	return y
}

// ask takes in how long the decisions since the last question took.
func (y *player) ask(c *dbus.Conn) {
	var why []map[string]dbus.Variant
	y.asking.Lock()
	err := c.Object(dbusapi.BusName, dbusapi.RootPath).Call(dbusapi.MonitorInterface+".Why", 0, uint32(256)).Store(&why)
	y.asking.Unlock()
	if err != nil {
		y.p.t.Error(err)
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, d := range why {
		seq, _ := d["seq"].Value().(uint64)
		handed, _ := d["handed_us"].Value().(uint64)
		if seq <= y.last || d["timed"].Value() == true {
			continue
		}
		y.last = seq
		if d["kind"].Value() == "port-lost" {
			y.lost = append(y.lost, time.Duration(handed)*time.Microsecond)
			continue
		}
		y.taken = append(y.taken, time.Duration(handed)*time.Microsecond)
		value, _ := d["value"].Value().(uint32)
		at, _ := d["at_us"].Value().(uint64)
		if sent := y.before(int(value)-1, time.Duration(at+1)*time.Microsecond); sent > 0 {
			y.whole = append(y.whole, time.Duration(at+handed)*time.Microsecond-sent)
		}
	}
}

// kernelTime is the time of CLOCK_MONOTONIC.
func kernelTime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for no valid clock and pointer
	return time.Duration(ts.Nano())
}

// before is when the last note of that value was sent before it arrived at that time, or 0.
func (y *player) before(value int, at time.Duration) time.Duration {
	last := len(y.sent) - 1
	for n := last - (last-value+told)%told; n >= 0; n -= told {
		if y.sent[n] <= at {
			return y.sent[n]
		}
	}
	return 0
}

// memory is what midimon has for itself while notes are played and nothing is asked: answers are garbage at once,
// and there would be more of it or less.
func (y *player) memory() int {
	y.asking.Lock()
	defer y.asking.Unlock()
	return y.p.memory()
}

// figures are how long notes took, and how long it took to know of ports that were lost. What a note waits until
// midimon gets a processor to read it with is in whole99 alone: others on the machine make most of that.
type figures struct {
	p99, most time.Duration
	n         int
	whole99   time.Duration
	lost99    time.Duration
	lost      int
}

func (f figures) String() string {
	text := fmt.Sprintf("p99 %7v, most %7v, %d notes, p99 %7v since they were sent", f.p99, f.most, f.n, f.whole99.Round(time.Microsecond))
	if f.lost > 0 {
		text += fmt.Sprintf(" (and %d lost ports, p99 %v)", f.lost, f.lost99)
	}
	return text
}

// latency is how long notes took since it was last asked, from their arrival until what came of
// them was handed on.
func (y *player) latency() figures {
	y.mu.Lock()
	defer y.mu.Unlock()
	slices.Sort(y.taken)
	slices.Sort(y.whole)
	slices.Sort(y.lost)
	f := figures{whole99: quantile(y.whole, 0.99), p99: quantile(y.taken, 0.99), most: quantile(y.taken, 1), n: len(y.taken), lost99: quantile(y.lost, 0.99), lost: len(y.lost)}
	y.taken, y.whole, y.lost = nil, nil, nil
	return f
}
