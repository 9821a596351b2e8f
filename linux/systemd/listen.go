//go:build linux

package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// Listener is the socket that the manager listens on for us, nil if it gave none. It takes
// the descriptors out of the environment, so only the first call finds one. Closing it does
// not remove the socket's file, which is the manager's.
func Listener() (net.Listener, error) {
	given := listeners()
	return first(given)
}

// firstDescriptor is the first that is handed over (sd_listen_fds(3)).
const firstDescriptor = 3

// listeners are the descriptors handed over, nil where one does not listen. go-systemd's own
// does the same and brings TLS along, which is a megabyte of every daemon's memory.
func listeners() (found []net.Listener) {
	defer func() {
		for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
			_ = os.Unsetenv(name) // not for those that we start
		}
	}()
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return nil
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > maxDescriptors {
		return nil
	}
	for fd := firstDescriptor; fd < firstDescriptor+n; fd++ {
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		l, err := net.FileListener(f)
		if err == nil {
			_ = f.Close() // the listener has its own
		}
		found = append(found, l)
	}
	return found
}

// maxDescriptors is more than anybody hands over.
const maxDescriptors = 1024

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
