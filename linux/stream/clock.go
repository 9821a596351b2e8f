//go:build linux

package stream

import (
	"time"

	"golang.org/x/sys/unix"
)

// began and base are one instant on Go's clock and on the kernel's. Counting from there spares
// each input a system call.
var (
	began = time.Now()
	base  = kernelNow()
)

// Now is the time of CLOCK_MONOTONIC, the clock of every input's At. It stands still while
// the machine sleeps.
func Now() time.Duration { return base + time.Since(began) }

func kernelNow() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for no valid clock and pointer
	return time.Duration(ts.Nano())
}
