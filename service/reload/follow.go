package reload

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// soonest is how long after an attempt to read the next one may come.
	soonest = time.Millisecond
	// latest is how long an attempt is put off at most while somebody writes.
	latest = 100 * time.Millisecond
	// unwatched is after how long watching is tried again where it fails.
	unwatched = 30 * time.Second
)

// A Follower has a configuration read when it has changed.
type Follower struct {
	// Files are the files to watch. It is asked again after each reading.
	Files func() []string
	// Read reads them if it is not too early: nothing happened to them for quiet. The last
	// sign that it was too early came detect ago. It says when to try again at the latest;
	// 0: it is done. Writing says that somebody has a file open for writing.
	Read func(ctx context.Context, quiet, detect time.Duration) (again time.Duration, writing bool)
	// Watched is told what keeps us from watching, and nil when that is over.
	Watched func(err error)

	poke chan struct{}
}

// NewFollower makes one. Its fields are to be set before Run.
func NewFollower() *Follower { return &Follower{poke: make(chan struct{}, 1)} }

// Poke says that the files may be others now. It never blocks.
func (f *Follower) Poke() {
	select {
	case f.poke <- struct{}{}:
	default:
	}
}

// Run follows until ctx is done.
func (f *Follower) Run(ctx context.Context) {
	w := &watch{}
	defer w.close()
	c := changes{look: true}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var failing error
	for {
		if c.look {
			c.look = false
			moved, err := w.cover(f.Files())
			if moved { // what happened before we watched is not told to us
				c.note()
			}
			if err != failing { //nolint:errorlint // the same one as before
				f.Watched(err)
			}
			failing = err
		}
		wait, read := f.try(ctx, &c)
		if read {
			continue // other files may be wanted now
		}
		if failing != nil {
			wait = min(wait, unwatched)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-f.poke:
			c.look = true
		case <-timer.C:
			if failing != nil && time.Since(c.tried) >= unwatched { // nobody tells us
				w.again()
				c.look, c.pending = true, true
			}
		case e := <-w.events():
			if w.trail.concerns(e.Name) {
				c.note()
				if moved := e.Has(fsnotify.Create | fsnotify.Remove | fsnotify.Rename); moved {
					c.look = true
					w.lost(e.Name)
				}
			}
		case <-w.errors(): //nolint:errcheck // events were lost: look again
			c.note()
			c.look = true
		}
	}
}

// changes is what is known of changes.
type changes struct {
	look    bool      // the ways to the files may be others
	pending bool      // something happened since they were read
	sign    time.Time // when something last did
	busy    time.Time // when somebody was last seen writing
	tried   time.Time // when they were last read, or tried to
}

func (c *changes) note() { c.sign, c.pending = time.Now(), true }

const never = time.Duration(1<<63 - 1)

// try reads if that is due, and says how long to wait if it did not.
func (f *Follower) try(ctx context.Context, c *changes) (wait time.Duration, read bool) {
	if !c.pending {
		return never, false
	}
	now := time.Now()
	if wait = soonest - now.Sub(c.tried); wait > 0 {
		return wait, false
	}
	last := c.sign
	if c.busy.After(last) {
		last = c.busy
	}
	again, writing := f.Read(ctx, now.Sub(c.sign), now.Sub(last))
	c.tried = time.Now()
	switch {
	case writing: // who writes for long is asked rarely
		c.busy = now
		again = min(max(now.Sub(c.sign)/8, soonest), latest)
	case again == 0:
		c.pending, c.look = false, true
		return 0, true
	}
	return again, false
}
