package loop

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// Watched is how many messages wait for who watches.
const Watched = 1024

// watcher is somebody who is told of the messages. Nobody waits for it.
type watcher struct {
	seen    chan<- report.Seen
	dropped *atomic.Uint64
}

// Watch tells of every message stepped from now on, and of the mappings that time makes act,
// until cancel is called. What finds no place, because more than Watched wait, is counted by
// dropped. Errors: as Do.
func (l *Loop) Watch(ctx context.Context) (seen <-chan report.Seen, dropped func() uint64, cancel func(), err error) {
	c, n := make(chan report.Seen, Watched), &atomic.Uint64{}
	err = l.Do(ctx, func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		l.watched = append(l.watched, watcher{c, n})
		return out
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return c, func() uint64 { return n.Swap(0) }, func() {
		// A loop that has ended tells nobody anything.
		_ = l.Do(context.Background(), func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
			l.watched = slices.DeleteFunc(l.watched, func(w watcher) bool { return w.dropped == n })
			return out
		})
	}, nil
}

// tell tells those who watch.
func (l *Loop) tell(x report.Seen) {
	if l.wall != nil {
		x.Time = l.wall().Add(x.At - l.now())
	}
	for _, w := range l.watched {
		select {
		case w.seen <- x:
		default:
			w.dropped.Add(1)
		}
	}
}
