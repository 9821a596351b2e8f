package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// probeLimit is how long whoever listens on the path may take to answer.
const probeLimit = time.Second

// ErrServed says that somebody listens on the socket's path already: systemd, or a daemon
// that shares nothing else with this one.
var ErrServed = errors.New("the socket is served already; start midimon with: systemctl --user start midimon")

// Listen listens on a unix socket at path. One that nobody serves any more is replaced.
func Listen(path string) (net.Listener, error) {
	if err := clearStale(path); err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	l, err := net.Listen("unix", path) //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot keep the socket to ourselves: %w", err), l.Close())
	}
	return l, nil
}

// clearStale removes a socket that nobody serves.
func clearStale(path string) error {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case fi.Mode().Type() != fs.ModeSocket:
		return errors.New("there is something else, which is no socket")
	}
	c, err := net.DialTimeout("unix", path, probeLimit) //nolint:noctx // bounded
	if err == nil {
		_ = c.Close()
		return ErrServed
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
