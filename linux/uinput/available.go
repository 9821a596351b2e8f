//go:build linux

package uinput

import (
	"os"
	"syscall"
)

// Available says whether keyboards can be made. It makes none. The error is a *report.Fault of
// check "keys".
func Available() error {
	f, err := os.OpenFile(node, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fault(err)
	}
	return f.Close()
}
