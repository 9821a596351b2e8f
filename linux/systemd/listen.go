//go:build linux

package systemd

import (
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
)

// Listener is the socket that the manager listens on for us, nil if it gave none. It takes
// the descriptors out of the environment, so only the first call finds one. Closing it does
// not remove the socket's file, which is the manager's.
func Listener() (net.Listener, error) {
	given, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("cannot use the socket handed over: %w", err)
	}
	return first(given)
}

// first is the first that listens; nil ones are descriptors of another kind.
func first(given []net.Listener) (net.Listener, error) {
	var found net.Listener
	for _, l := range given {
		switch {
		case l == nil:
		case found == nil:
			found = l
		default:
			_ = l.Close()
		}
	}
	if found == nil && len(given) > 0 {
		return nil, fmt.Errorf("cannot use the socket handed over: none of %d listens", len(given))
	}
	return found, nil
}

// PrivateEnv names the variables that are for this process alone. A program started with
// them could speak to the manager in our name.
func PrivateEnv() []string {
	return []string{
		"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
		"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "JOURNAL_STREAM", "INVOCATION_ID",
	}
}
