//go:build linux

package stream

import (
	"testing"
	"time"
)

func TestNowIsTheKernelsClock(t *testing.T) {
	before := kernelNow()
	now := Now()
	after := kernelNow()
	// began and base were read a moment apart.
	if now < before-time.Millisecond || now > after+time.Millisecond {
		t.Errorf("Now is %v, the kernel's clock %v to %v", now, before, after)
	}
}
