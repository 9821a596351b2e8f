// Package process runs commands: each in a process group of its own, reaped, bounded in time
// and number. What a command is for is not its business, and no command line leaves it.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/amiable-dev/midimon/engine/effect"
)

// causes are the variables in which a command learns what caused it: the mapping's id, the mode
// that acted, the velocity or value (0-127, 14 bits 0-16383), and of a VelocityRange how hard the
// hit was (soft, medium or hard). MIDI is never put into the text of a command.
var causes = []string{"MIDIMON_MAPPING", "MIDIMON_MODE", "MIDIMON_VALUE", "MIDIMON_HIT"}

// Limit is how many commands may run at once.
const Limit = 32

// The words for why a command failed.
const (
	ExitStatus = "exit-status"
	TimedOut   = "timed-out"
	NotStarted = "not-started"
	TooMany    = "too-many-commands"
)

// A Backend runs the commands of Shell actions by /bin/sh.
type Backend struct {
	fail    func(x effect.Effect, word string, err error)
	env     []string
	places  chan struct{}
	running sync.WaitGroup
	end     context.CancelCauseFunc
	ctx     context.Context
}

// errClosed is why a command ended that Close ended.
var errClosed = errors.New("midimon stopped")

// New makes a backend whose commands do not see the private variables of our environment.
// It calls fail, from any goroutine, for each command that does not succeed.
func New(private []string, fail func(x effect.Effect, word string, err error)) *Backend {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(private, name) || slices.Contains(causes, name)
	})
	return &Backend{fail: fail, env: env, places: make(chan struct{}, Limit)}
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "process" }

// Open makes it ready; it cannot fail.
func (b *Backend) Open(ctx context.Context) error {
	b.ctx, b.end = context.WithCancelCause(context.WithoutCancel(ctx))
	return nil
}

// Await has nothing to wait for.
func (*Backend) Await(ctx context.Context) error { return ctx.Err() }

// Performs says that it performs Shell.
func (*Backend) Performs(a effect.Action) bool {
	_, ok := a.(*effect.Shell)
	return ok
}

// Do starts the command and does not wait for it.
func (b *Backend) Do(x *effect.Effect) error {
	shell, ok := x.Action.(*effect.Shell)
	if x.Kind != effect.Act || !ok {
		return nil
	}
	select {
	case b.places <- struct{}{}:
	default:
		b.fail(*x, TooMany, fmt.Errorf("%d commands run already", Limit))
		return nil
	}
	ctx, cancel := b.ctx, context.CancelFunc(func() {})
	if shell.Timeout > 0 {
		ctx, cancel = context.WithTimeout(b.ctx, shell.Timeout)
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", shell.Command)
	cmd.Env = b.of(x)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		cancel()
		<-b.places
		b.fail(*x, NotStarted, fmt.Errorf("cannot start %s: %w", shell.Program(), err))
		return nil
	}
	failed := *x
	b.running.Go(func() {
		defer func() { cancel(); <-b.places }()
		b.reap(ctx, cmd, &failed, shell)
	})
	return nil
}

// of is the environment of a command: besides ours, what caused it.
func (b *Backend) of(x *effect.Effect) []string {
	env := append(slices.Clip(b.env), "MIDIMON_MODE="+x.Mode, "MIDIMON_VALUE="+strconv.Itoa(int(x.Value)))
	if x.Origin != nil {
		env = append(env, "MIDIMON_MAPPING="+x.Origin.ID)
	}
	if x.Hit != effect.NoHit {
		env = append(env, "MIDIMON_HIT="+x.Hit.String())
	}
	return env
}

func (b *Backend) reap(ctx context.Context, cmd *exec.Cmd, x *effect.Effect, shell *effect.Shell) {
	err := cmd.Wait()
	switch {
	case err == nil || errors.Is(context.Cause(ctx), errClosed):
	case ctx.Err() != nil:
		b.fail(*x, TimedOut, fmt.Errorf("%s did not end within %v", shell.Program(), shell.Timeout))
	default:
		b.fail(*x, ExitStatus, fmt.Errorf("%s: %w", shell.Program(), err))
	}
}

// Close kills what still runs and waits until it is reaped.
func (b *Backend) Close() error {
	b.end(errClosed)
	b.running.Wait()
	return nil
}
