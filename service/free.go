package service

import (
	"sync"
	"time"
)

// freeAfter is for how long nobody may have asked before memory is given back.
const freeAfter = time.Second

// free gives back what reading took, and what devices did that came and went: it would stay with us
// until the next time. It takes longer than a small reload, and notes could wait for it: it is
// done when all of that is over.
type free struct {
	do func()

	mu    sync.Mutex
	timer *time.Timer // nil: nobody asked yet
}

// soon does it when nobody has asked for a while. It may be called from any goroutine.
func (f *free) soon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer == nil {
		f.timer = time.AfterFunc(freeAfter, f.do)
		return
	}
	f.timer.Reset(freeAfter)
}
