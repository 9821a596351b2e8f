package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// An exitError ends the program with the exit code of another, which has said why itself.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func newInhibit(a *app) *cobra.Command {
	why := ""
	cmd := &cobra.Command{
		Use:   "inhibit -- CMD [ARG]...",
		Short: "Refuse every action while a command runs",
		Long: `Run CMD, and let midimon refuse every action until it has ended. "midimonctl status" names
whoever asked for quiet.

The exit code is that of CMD, 128 and the number of a signal that ended it, 127 when it
cannot be run.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			find, cancel := context.WithTimeout(cmd.Context(), callTimeout)
			defer cancel()
			c, err := a.dial(cmd.Context(), acts)
			if err != nil {
				return err
			}
			defer c.Close() //nolint:errcheck // its end is what is wanted
			if why == "" {
				why = "while " + args[0] + " runs"
			}
			if err := c.Inhibit(find, "midimonctl inhibit", why); err != nil {
				return fmt.Errorf("cannot inhibit: %w", err)
			}
			return a.runCommand(cmd.Context(), args)
		},
	}
	cmd.Flags().StringVar(&why, "why", "", "`TEXT` for people who wonder")
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// runCommand runs a program to its end. Ctrl-C is for the program, which gets it from the
// terminal; that somebody ends us is handed on.
func (a *app) runCommand(ctx context.Context, args []string) error {
	c := exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = a.in, a.out, a.err
	if err := c.Start(); err != nil {
		_, _ = fmt.Fprintf(a.err, "midimonctl: cannot run %s: %v\n", args[0], err)
		return exitError(127)
	}
	ended, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(ended, syscall.SIGTERM)
	defer signal.Stop(ended)
	go func() {
		select {
		case s := <-ended:
			_ = c.Process.Signal(s)
		case <-done:
		}
	}()
	err := c.Wait()
	close(done)
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return fmt.Errorf("cannot run %s: %w", args[0], err)
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return exitError(128 + int(s.Signal()))
	}
	return exitError(exit.ExitCode())
}
