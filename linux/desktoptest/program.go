//go:build linux

package desktoptest

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Program runs until the test ends. What it says, on both of its outputs, is kept.
type Program struct {
	Pid int

	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{}
	wake  chan struct{}

	mu    sync.Mutex
	lines []line
	read  int // how many Wait has passed
}

// line is one that a program wrote.
type line struct {
	text string
	at   time.Time
}

// endWithin is how long a program may take to end when asked.
const endWithin = 2 * time.Second

// Start starts a program on the desktop. What it writes should be flushed line by line:
// stdbuf -oL makes most programs do so.
func (d *Desktop) Start(name string, args ...string) *Program {
	d.t.Helper()
	return d.Run(d.Command(name, args...))
}

// Run starts a command that Command made, and takes its outputs.
func (d *Desktop) Run(c *exec.Cmd) *Program {
	d.t.Helper()
	p := &Program{t: d.t, cmd: c, ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	r, w := io.Pipe()
	c.Stdout, c.Stderr = w, w
	c.WaitDelay = endWithin
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	p.Pid = c.Process.Pid
	go func() {
		_ = c.Wait()
		_ = w.Close()
	}()
	go p.collect(r)
	d.t.Cleanup(func() {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(endWithin):
		}
		p.Kill()
		if d.t.Failed() {
			d.t.Logf("%s said:\n%s", strings.Join(c.Args, " "), p.Said())
		}
	})
	return p
}

func (p *Program) collect(r io.Reader) {
	defer close(p.ended)
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, line{s.Text(), time.Now()})
		p.mu.Unlock()
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// Wait returns the next line that contains all the words, which must come, and when it came.
// Lines before it are passed over; the next Wait begins behind it.
func (p *Program) Wait(words ...string) (string, time.Time) {
	p.t.Helper()
	late := time.After(Limit)
	for {
		if l, ok := p.next(words); ok {
			return l.text, l.at
		}
		select {
		case <-p.wake:
		case <-p.ended:
			if l, ok := p.next(words); ok {
				return l.text, l.at
			}
			p.t.Fatalf("%s ended without saying %q:\n%s", p.cmd.Args[0], words, p.Said())
		case <-late:
			p.t.Fatalf("%s does not say %q:\n%s", p.cmd.Args[0], words, p.Said())
		}
	}
}

func (p *Program) next(words []string) (line, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.read < len(p.lines) {
		l := p.lines[p.read]
		p.read++
		all := true
		for _, word := range words {
			all = all && strings.Contains(l.text, word)
		}
		if all {
			return l, true
		}
	}
	return line{}, false
}

// Said is all that the program said.
func (p *Program) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, l := range p.lines {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// Ended is closed when the program has ended.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Kill ends the program and its children at once, and returns when it has ended.
func (p *Program) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// Signal sends the program and its children a signal.
func (p *Program) Signal(s syscall.Signal) { p.signal(s) }

func (p *Program) signal(s syscall.Signal) { _ = syscall.Kill(-p.Pid, s) }
