package loop

import (
	"math/bits"
	"time"
)

// latency counts how long inputs took from their arrival until their effects were handed on.
// Buckets are eighths of powers of two of nanoseconds, so a figure is at most 1/8 too high.
type latency struct {
	buckets [64 * 8]uint64
	n       uint64
}

func (l *latency) add(d time.Duration) {
	l.buckets[bucket(d)]++
	l.n++
}

func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 8 {
		return int(v)
	}
	top := bits.Len64(v) - 1
	return (top-2)*8 + int(v>>(top-3)&7)
}

// ceiling is the largest duration of a bucket.
func ceiling(bucket int) time.Duration {
	if bucket < 8 {
		return time.Duration(bucket)
	}
	top, eighth := bucket/8+2, bucket%8
	return time.Duration((uint64(8+eighth+1) << (top - 3)) - 1)
}

// quantile is the duration that the share q (0-1) of all stayed at or below; 0 if there is none.
func (l *latency) quantile(q float64) time.Duration {
	want := uint64(q * float64(l.n))
	seen := uint64(0)
	for i, n := range l.buckets {
		if seen += n; n > 0 && seen >= want {
			return ceiling(i)
		}
	}
	return 0
}
