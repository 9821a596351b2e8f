// Command midimonctl looks at midimon and tells it what to do. Each verb has a file of its
// own, which calls the client and prints; nothing is decided here.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

// The exit codes.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, &app{getenv: os.Getenv, in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:]))
}

// run performs one command line and returns the exit code.
func run(ctx context.Context, a *app, args []string) int {
	root := newRoot(a, verbOf(args))
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if code, ok := errors.AsType[exitError](err); ok {
		return int(code)
	}
	_, _ = fmt.Fprintf(a.err, "midimonctl: %v\n", err)
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, client.ErrNotRunning):
		return exitNotRunning
	}
	return exitFailed
}

// A usageError is a fault of the command line.
type usageError struct{ error }

// A verb is one command.
type verb struct {
	name string
	make func(*app) *cobra.Command
}

// verbs are all of them, in the order of the manual.
var verbs = []verb{
	{"status", newStatus},
	{"doctor", newDoctor},
	{"devices", newDevices},
	{"mode", newMode},
	{"modes", newModes},
	{"mappings", newMappings},
	{"trigger", newTrigger},
	{"reload", newReload},
	{"validate", newValidate},
	{"template", newTemplate},
	{"watch", newWatch},
	{"monitor", newMonitor},
	{"why", newWhy},
	{"stats", newStats},
	{"ping", newPing},
	{"pause", newPause},
	{"resume", newResume},
	{"inhibit", newInhibit},
	{"panic", newPanic},
	{"start", newStart},
	{"stop", newStop},
	{"restart", newRestart},
	{"logs", newLogs},
	{"tray", newTray},
	{"install", newInstall},
	{"uninstall", newUninstall},
}

// verbOf is the verb of a command line if there is one that can be told at a glance: making
// the others takes longer than most of them do.
func verbOf(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--address":
			i++
		case !strings.HasPrefix(args[i], "-"):
			if slices.ContainsFunc(verbs, func(v verb) bool { return v.name == args[i] }) {
				return args[i]
			}
			return ""
		}
	}
	return ""
}

// newRoot makes the command with all verbs, or with only one.
func newRoot(a *app, only string) *cobra.Command {
	root := &cobra.Command{
		Use:   "midimonctl",
		Short: "Look at midimon and tell it what to do",
		Long: `midimonctl talks to the running midimon. It is sought at --address, else at
$MIDIMON_ADDRESS, else at the private socket $XDG_RUNTIME_DIR/midimon/bus if that
exists, else on the session bus. Verbs that only look start nothing.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 midimon is not running.`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown verb %q%s", args[0], suggest(cmd, args[0]))}
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	flags := root.PersistentFlags()
	flags.BoolVarP(&a.json, "json", "j", false, "print JSON")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "print more")
	flags.StringVar(&a.address, "address", "", "D-Bus address of midimon or of its bus")
	flags.BoolVar(&a.noColor, "no-color", false, "print no colour")
	root.SetHelpCommand(&cobra.Command{
		Use:    "help [VERB]",
		Hidden: true, // --help says it already
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return &usageError{fmt.Errorf("unknown verb %q", strings.Join(args, " "))}
			}
			return cmd.Help()
		},
	})
	for _, v := range verbs {
		if only != "" && only != v.name {
			continue
		}
		cmd := v.make(a)
		check := cmd.Args
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return &usageError{fmt.Errorf("%s: %w", cmd.Name(), err)}
			}
			return nil
		}
		root.AddCommand(cmd)
	}
	return root
}

func suggest(cmd *cobra.Command, verb string) string {
	cmd.SuggestionsMinimumDistance = 2
	if s := cmd.SuggestionsFor(verb); len(s) > 0 {
		return fmt.Sprintf(" (did you mean %s?)", s[0])
	}
	return ""
}
