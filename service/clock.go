package service

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic returns a clock that reads CLOCK_MONOTONIC (clock_gettime(2)), which stands still
// while the machine sleeps. Asking the kernel once and counting from there spares a system
// call at each event.
func Monotonic() func() time.Duration {
	var ts unix.Timespec
	began := time.Now()
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for no valid clock and pointer
	base := time.Duration(ts.Nano())
	return func() time.Duration { return base + time.Since(began) }
}
