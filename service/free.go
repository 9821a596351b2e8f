package service

import (
	"sync"
	"time"
)

// freeEvery is how often memory is given back at most.
const freeEvery = time.Second

// free gives back what reading took, and what devices did that came and went: it would stay with us
// until the next time. It takes longer than a small reload, so of many in a row only the first and
// the last do it. Its methods may be called from any goroutine.
type free struct {
	do func()

	mu    sync.Mutex
	last  time.Time
	timer *time.Timer // nil: nothing was put off yet
}

// now does it, or soon if it was done a moment ago.
func (f *free) now() {
	f.mu.Lock()
	due := time.Since(f.last) >= freeEvery
	if due {
		f.last = time.Now()
	}
	f.mu.Unlock()
	if due {
		f.do()
	} else {
		f.soon()
	}
}

// soon does it when nobody has asked for a while.
func (f *free) soon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer == nil {
		f.timer = time.AfterFunc(freeEvery, f.do)
		return
	}
	f.timer.Reset(freeEvery)
}
