//go:build linux

package stream

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time of CLOCK_MONOTONIC, the clock of every input's At. It stands still while
// the machine sleeps.
func Now() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for no valid clock and pointer
	return time.Duration(ts.Nano())
}
