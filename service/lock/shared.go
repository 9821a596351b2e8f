package lock

import (
	"net"
	"syscall"
	"time"
)

// A Shared is a socket that somebody else listens on too: the service manager, which starts midimon
// for whoever connects while it does not run. Whoever connects while it ends would wait in the
// socket's queue, and so start it again right after it was stopped; Dismiss is for those.
type Shared struct{ *net.UnixListener }

// Close ends Accept, now and later. The queue stays, and is Dismiss's.
func (s Shared) Close() error { return s.SetDeadline(time.Unix(1, 0)) }

// maxQueued is more than the kernel keeps waiting, so that somebody who connects again and again
// does not keep us from ending.
const maxQueued = 8192

// Dismiss closes every connection that waits, unheard, and gives the socket up. It waits for nobody.
func (s Shared) Dismiss() error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	err = raw.Control(func(fd uintptr) {
		for range maxQueued {
			c, _, err := syscall.Accept(int(fd)) // Go's listeners do not block
			switch err {
			case nil:
				_ = syscall.Close(c)
			case syscall.EINTR, syscall.ECONNABORTED:
			default: // nobody is left
				return
			}
		}
	})
	if e := s.UnixListener.Close(); err == nil {
		err = e
	}
	return err
}
