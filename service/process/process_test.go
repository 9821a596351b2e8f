package process_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/service/process"
)

type failure struct{ id, word, detail string }

// start makes a backend and returns what it reports.
func start(t *testing.T, private ...string) (*process.Backend, chan failure) {
	t.Helper()
	failures := make(chan failure, 100)
	b := process.New(process.Config{Private: private, Log: slog.New(slog.DiscardHandler), Fail: func(x effect.Effect, word string, err error) {
		failures <- failure{x.Origin.ID, word, err.Error()}
	}})
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, failures
}

func run(t *testing.T, b *process.Backend, command string, timeout time.Duration) {
	t.Helper()
	x := effect.Effect{
		Kind: effect.Act, Action: &effect.Shell{Command: command, Timeout: timeout}, Origin: &effect.Origin{ID: "m"},
	}
	if err := b.Do(&x); err != nil {
		t.Fatal(err)
	}
}

// fifo is a pipe that a command writes to, and what it wrote when all its writers ended.
func fifo(t *testing.T) (path string, read func() string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestCommandRuns(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/secret")
	t.Setenv("OURS", "yes")
	b, failures := start(t, "NOTIFY_SOCKET")
	out, read := fifo(t)
	run(t, b, "echo $NOTIFY_SOCKET$OURS $$ $(ps -o pgid= -p $$) >"+out, 0)
	f := strings.Fields(read())
	if len(f) != 3 || f[0] != "yes" || f[1] != f[2] {
		t.Errorf("%q: want only OURS, and a group of its own", f)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if len(failures) != 0 {
		t.Error(<-failures)
	}
}

// TestCommandLearnsItsCause: from variables that nobody else can have set.
func TestCommandLearnsItsCause(t *testing.T) {
	t.Setenv("MIDIMON_HIT", "inherited")
	b, _ := start(t)
	out, read := fifo(t)
	x := effect.Effect{Kind: effect.Act, Mode: "Live", Value: 99, Hit: effect.Hard, Origin: &effect.Origin{ID: "my pad"}}
	const command = `printf '%s/' "$MIDIMON_MAPPING" "$MIDIMON_MODE" "$MIDIMON_VALUE" "$MIDIMON_HIT" >`
	for _, c := range []struct {
		hit  effect.Hit
		want string
	}{{effect.Hard, "my pad/Live/99/hard/"}, {effect.NoHit, "my pad/Live/99//"}} {
		x.Hit, x.Action = c.hit, &effect.Shell{Command: command + out}
		if err := b.Do(&x); err != nil {
			t.Fatal(err)
		}
		if got := read(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestFailureNamesTheProgramOnly(t *testing.T) {
	b, failures := start(t)
	run(t, b, "exit 3 secret", 0)
	if got := <-failures; got.word != process.ExitStatus || got.detail != "exit: exit status 3" && got.detail != "exit: exit status 2" {
		t.Errorf("%+v", got)
	}
}

func TestTimeoutKillsTheGroup(t *testing.T) {
	b, failures := start(t)
	out, read := fifo(t)
	// The reader sees the end of the file when the child, which holds the pipe, is dead too.
	run(t, b, "(sleep 1000; echo late) >"+out+" & wait", 200*time.Millisecond)
	if got := read(); got != "" {
		t.Errorf("it wrote %q", got)
	}
	if got := <-failures; got.word != process.TimedOut {
		t.Errorf("%+v", got)
	}
}

func TestTooManyAreRefused(t *testing.T) {
	b, failures := start(t)
	for range process.Limit + 2 {
		run(t, b, "sleep 1000", 0)
	}
	for range 2 {
		if got := <-failures; got.word != process.TooMany {
			t.Errorf("%+v", got)
		}
	}
	closed := make(chan error, 1)
	began := time.Now()
	go func() { closed <- b.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second): // the commands would take far longer
		t.Fatal("it waits for commands to end")
	}
	t.Logf("%d commands were ended within %v", process.Limit, time.Since(began))
	if len(failures) != 0 {
		t.Errorf("what the end killed was reported: %+v", <-failures)
	}
}

func TestNothingIsLeft(t *testing.T) {
	b, _ := start(t)
	out, read := fifo(t)
	run(t, b, "echo $$ >"+out, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(read()))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
		t.Error("a zombie is left")
	}
}

func TestOtherEffectsAreNotItsBusiness(t *testing.T) {
	b, failures := start(t)
	for _, x := range []effect.Effect{{Kind: effect.KeyDown}, {Kind: effect.Act, Action: &effect.Delay{}}} {
		if err := b.Do(&x); err != nil || len(failures) != 0 {
			t.Errorf("%v", err)
		}
	}
	if b.Name() != "process" || b.Await(t.Context()) != nil {
		t.Error(b.Name())
	}
}
