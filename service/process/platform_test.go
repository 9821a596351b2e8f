package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/process"
)

// platform starts nothing, unless it has no place.
type platform struct {
	find   error
	run    error
	ran    chan effect.Command
	failed chan effect.Command
}

func (p platform) Find(a effect.Action) (effect.Command, error) {
	l, ok := a.(*effect.Launch)
	if !ok {
		return effect.Command{}, errors.ErrUnsupported
	}
	return effect.Command{Name: l.App, Argv: append([]string{"/bin/" + l.App}, l.Args...)}, p.find
}

func (p platform) Run(_ context.Context, c *effect.Command, out *os.File) error {
	p.ran <- *c
	if out != nil {
		_, _ = fmt.Fprintf(out, "a line\nthe end")
	}
	return p.run
}

func (p platform) Failed(c *effect.Command) {
	if p.failed != nil {
		p.failed <- *c
	}
}

func (platform) Watch(_ context.Context, tell func(error)) { tell(nil) }

// log is what was logged.
type log struct {
	mu sync.Mutex
	bytes.Buffer
	wrote chan struct{}
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.Buffer.Write(b)
	l.wrote <- struct{}{}
	return n, err
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

func startOn(t *testing.T, p platform) (*process.Backend, chan failure, *log) {
	t.Helper()
	failures, lines := make(chan failure, 100), &log{wrote: make(chan struct{}, 100)}
	b := process.New(process.Config{
		Platform: p, Contained: func(error) {},
		Log: slog.New(slog.NewTextHandler(lines, nil)),
		Fail: func(x effect.Effect, word string, err error) {
			failures <- failure{x.Origin.ID, word, err.Error()}
		},
	})
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, failures, lines
}

func do(t *testing.T, b *process.Backend, a effect.Action) {
	t.Helper()
	x := effect.Effect{Kind: effect.Act, Action: a, Origin: &effect.Origin{ID: "m"}, Mode: "Desk", Value: 99, Steps: -2, Hit: 3}
	if err := b.Do(&x); err != nil {
		t.Fatal(err)
	}
}

func TestThePlatformRunsIt(t *testing.T) {
	p := platform{ran: make(chan effect.Command, 9)}
	b, failures, log := startOn(t, p)
	do(t, b, &effect.Shell{Command: "make all"})
	c := <-p.ran
	if c.Name != "make" || c.Lasting || !slices.Equal(c.Argv, []string{"/bin/sh", "-c", "make all"}) ||
		!slices.Equal(c.Env, []string{"MIDIMON_MAPPING=m", "MIDIMON_MODE=Desk", "MIDIMON_VALUE=99", "MIDIMON_STEPS=-2", "MIDIMON_HIT=hard"}) {
		t.Errorf("%+v", c)
	}
	<-log.wrote
	<-log.wrote
	if text := log.text(); !strings.Contains(text, `mapping=m program=make line="a line"`) || !strings.Contains(text, `line="the end"`) {
		t.Error(text)
	}
	do(t, b, &effect.Launch{App: "calc"})
	if c := <-p.ran; !c.Lasting || c.Argv[0] != "/bin/calc" {
		t.Errorf("%+v", c)
	}
	if !b.Performs(&effect.Open{}) || b.Performs(&effect.Text{}) {
		t.Error("what it performs")
	}
	if len(failures) > 0 {
		t.Errorf("%+v", <-failures)
	}
}

func TestWhatThePlatformSays(t *testing.T) {
	for _, c := range []struct {
		p    platform
		want failure
	}{
		{platform{find: errors.New("no such thing")}, failure{"m", process.NotStarted, "no such thing"}},
		{platform{run: &report.Ended{Program: "calc", How: "exit status 2"}}, failure{"m", process.ExitStatus, "calc: exit status 2"}},
		{platform{run: fmt.Errorf("beside: %w", &report.Ended{Program: "calc", How: "slow", TimedOut: true})}, failure{"m", process.TimedOut, "beside: calc: slow"}},
		{platform{run: errors.ErrUnsupported}, failure{"m", process.NotStarted, "cannot start no-such-program: fork/exec /bin/no-such-program: no such file or directory"}},
	} {
		c.p.ran = make(chan effect.Command, 9)
		b, failures, _ := startOn(t, c.p)
		do(t, b, &effect.Launch{App: "no-such-program"})
		if got := <-failures; got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}

// A program that lasts is none of ours: it outlives Close, and is no zombie when it ends.
func TestWithoutAPlaceALaunchOutlivesUs(t *testing.T) {
	p := platform{run: errors.ErrUnsupported, ran: make(chan effect.Command, 9)}
	b, failures, _ := startOn(t, p)
	out, read := fifo(t)
	gate, _ := fifo(t)
	do(t, b, &effect.Launch{App: "sh", Args: []string{"-c", "exec 9>" + out + "; read x <" + gate + "; echo $x >&9"}})
	<-p.ran
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(gate, []byte("done\n"), 0) //nolint:errcheck // the program says what it read
	if got := read(); got != "done\n" {
		t.Errorf("%q", got)
	}
	if len(failures) > 0 {
		t.Errorf("%+v", <-failures)
	}
}

// The platform hears of a program that lasts and that it had no place for, where that fails.
func TestThePlatformHearsWhatFailed(t *testing.T) {
	p := platform{run: errors.ErrUnsupported, ran: make(chan effect.Command, 9), failed: make(chan effect.Command, 9)}
	b, _, _ := startOn(t, p)
	out, read := fifo(t)
	do(t, b, &effect.Launch{App: "sh", Args: []string{"-c", "echo well >" + out}})
	if got := read(); got != "well\n" {
		t.Errorf("%q", got)
	}
	do(t, b, &effect.Launch{App: "sh", Args: []string{"-c", "exit 3"}})
	do(t, b, &effect.Launch{App: "no-such-program"})
	do(t, b, &effect.Shell{Command: "exit 3"}) // it does not last
	failed := []string{(<-p.failed).Name, (<-p.failed).Name}
	slices.Sort(failed)
	if want := []string{"no-such-program", "sh"}; !slices.Equal(failed, want) {
		t.Errorf("%q, want %q", failed, want)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if len(p.failed) > 0 {
		t.Errorf("%+v", <-p.failed)
	}
}

func TestOutputIsCut(t *testing.T) {
	b, _, log := startOn(t, platform{run: errors.ErrUnsupported, ran: make(chan effect.Command, 9)})
	log.wrote = make(chan struct{}, 1000)
	do(t, b, &effect.Shell{Command: "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890 | head -c 200000"})
	for !strings.Contains(log.text(), "command output cut") {
		<-log.wrote
	}
	if n := len(log.text()); n > 400_000 {
		t.Errorf("%d bytes", n)
	}
}
