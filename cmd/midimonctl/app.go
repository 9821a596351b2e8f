package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/dbusapi/client"
	"github.com/amiable-dev/midimon/service/lock"
)

// callTimeout is how long a whole command may take; D-Bus clients wait 25 s for a reply.
const callTimeout = 25 * time.Second

// An app is the surroundings of a command and what the global flags say.
type app struct {
	getenv   func(string) string
	in       io.Reader
	out, err io.Writer

	json, verbose, noColor bool
	address                string
}

// Whether a verb may start the daemon.
const (
	looks = false
	acts  = true
)

// with finds the daemon and does something with it.
func (a *app) with(ctx context.Context, start bool, do func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := a.dial(ctx, start)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // the replies are in
	return do(ctx, c)
}

// dial finds the daemon. The connection ends with ctx.
func (a *app) dial(ctx context.Context, start bool) (*client.Client, error) {
	address, dir, err := client.Find(a.address, a.getenv)
	if err != nil {
		return nil, err
	}
	if dir != "" && !start {
		switch _, held, err := lock.Holder(dir); {
		case err != nil:
			return nil, fmt.Errorf("cannot tell whether midimon runs: %w", err)
		case !held:
			return nil, client.ErrNotRunning
		}
	}
	return client.Dial(ctx, address, start)
}

// printJSON prints one object, indented.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// joined is the verb's own error, else that of printing: one that failed says so once.
func joined(printing, err error) error {
	if err != nil {
		return err
	}
	return printing
}

// list is never null in JSON.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

// done says that a verb without a result succeeded.
func (a *app) done(text string) error {
	if a.json {
		return a.printJSON(map[string]bool{"ok": true})
	}
	_, err := fmt.Fprintln(a.out, text)
	return err
}

// color says whether to colour: only on a terminal that wants it (no-color.org).
func (a *app) color() bool {
	return a.terminal() && !a.noColor && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

// terminal says whether somebody looks at the output, and not a program.
func (a *app) terminal() bool {
	f, ok := a.out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// whileRead is a context that ends when nobody can read the output any more: what waits for changes
// would learn that by the next one only, which may never come.
func (a *app) whileRead(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if f, ok := a.out.(*os.File); ok {
		go func() { // until the end of the program
			defer cancel()
			awaitUnread(f)
		}()
	}
	return ctx, cancel
}

// awaitUnread returns when the other end of a pipe, a socket or a terminal is gone. A file's never is.
func awaitUnread(f *os.File) {
	poll := []unix.PollFd{{Fd: int32(f.Fd())}} // of what is not asked for, errors and hang-ups come
	for {
		if n, err := unix.Poll(poll, -1); n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// monotonic is the clock of the daemon's *_us.
func (a *app) monotonic() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for no valid clock and pointer
	return time.Duration(ts.Nano())
}
