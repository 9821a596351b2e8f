package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// child runs a command as a child of ours, in a group of its own, and reaps it.
func (b *Backend) child(c *effect.Command, out *os.File) error {
	if len(c.Argv) == 0 {
		return fmt.Errorf("cannot start %s: only the session's service manager can", c.Name)
	}
	if c.Lasting {
		return b.lasting(c)
	}
	ctx, cancel := b.ctx, context.CancelFunc(func() {})
	if c.Timeout > 0 {
		ctx, cancel = context.WithTimeout(b.ctx, c.Timeout)
	}
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	b.prepare(cmd, c)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out != nil {
		cmd.Stdout, cmd.Stderr = out, out
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", c.Name, err)
	}
	err := cmd.Wait()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), errClosed):
		return &report.Ended{Program: c.Name, How: fmt.Sprintf("did not end within %v", c.Timeout), TimedOut: true}
	}
	return &report.Ended{Program: c.Name, How: err.Error()}
}

// lasting starts a command as the leader of a session of its own, so that our end is not its
// own, and reaps it in the background.
func (b *Backend) lasting(c *effect.Command) error {
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...) //nolint:noctx // it is the user's own, and outlives us
	b.prepare(cmd, c)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", c.Name, err)
	}
	go func() {
		if cmd.Wait() != nil { // why is the user's affair
			b.Platform.Failed(c)
		}
	}()
	return nil
}

func (b *Backend) prepare(cmd *exec.Cmd, c *effect.Command) {
	cmd.Env = append(b.env[:len(b.env):len(b.env)], c.Env...)
	cmd.Dir = c.Dir
}
