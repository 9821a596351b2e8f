//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/dbusapi"
)

// player plays a FIFO of the configuration, as a controller would.
type player struct {
	p   *process
	end func() // stops it

	asking sync.Mutex // who holds it keeps questions from being asked

	mu    sync.Mutex
	last  uint64    // decision
	sent  *sendings // when each note was; the value of one says which it is
	taken []time.Duration
	whole []time.Duration // the same from when notes were sent
	lost  []time.Duration // the same of what is no note: ports that were lost
}

// sendings are times of CLOCK_MONOTONIC, which is midimon's clock, in ns; 0: not yet. Two processes share them.
type sendings [1 << 19]int64

// told is how many values tell notes apart: more follow each other only when midimon stood still.
const told = 127

func shareTimes(file string) (*sendings, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	size := int(unsafe.Sizeof(sendings{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*sendings)(unsafe.Pointer(&b[0])), nil
}

// playNotes is a program of its own: a controller does not wait for those who make a storm. It plays a note
// every millisecond into its first argument and when into the second, until it is killed. Its bare system calls
// spare the machine what Go's scheduler would do at each.
func playNotes() {
	sent, err := shareTimes(os.Args[2])
	fifo, err2 := unix.Open(os.Args[1], unix.O_WRONLY, 0)
	if err != nil || err2 != nil {
		panic(fmt.Sprint(err, err2))
	}
	next := kernelTime()
	for i := range sent {
		next += time.Millisecond
		due := unix.NsecToTimespec(next.Nanoseconds())
		for errno := unix.EINTR; errno == unix.EINTR; {
			_, _, errno = unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, uintptr(unsafe.Pointer(&due)), 0, 0, 0)
		}
		note := [3]byte{[2]byte{0x90, 0x80}[i%2], 36, byte(1 + i%told)}
		sent[i] = kernelTime().Nanoseconds()
		if _, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fifo), uintptr(unsafe.Pointer(&note)), uintptr(len(note))); errno != 0 {
			panic(errno)
		}
	}
}

// play plays a note that is mapped every 2 ms and asks why of each, until the test ends.
func (p *process) play(path string) *player {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "sent")
	sent, err := shareTimes(file)
	if err != nil {
		p.t.Fatal(err)
	}
	notes := exec.Command("playnotes", path, file) //nolint:noctx // it is killed below
	notes.Stderr = os.Stderr
	notes.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := notes.Start(); err != nil {
		p.t.Fatal(err)
	}
	stop := make(chan struct{})
	var done sync.WaitGroup
	c := p.dial()
	y := &player{p: p, sent: sent, end: sync.OnceFunc(func() {
		close(stop)
		done.Wait()
		_ = c.Close()
		_ = notes.Process.Kill()
		_ = notes.Wait() // that it was killed
	})}
	done.Go(func() {
		tick := time.NewTicker(150 * time.Millisecond) // 256 decisions are kept, and each question makes some notes wait
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
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ts)), 0) // fails for no valid clock and pointer
	return time.Duration(ts.Nano())
}

// before is when the last note of that value was sent before it arrived at that time, or 0.
func (y *player) before(value int, at time.Duration) time.Duration {
	last := sort.Search(len(y.sent), func(i int) bool { return y.sent[i] == 0 }) - 1
	for n := last - (last-value+told)%told; n >= 0; n -= told {
		if sent := time.Duration(y.sent[n]); sent <= at {
			return sent
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
