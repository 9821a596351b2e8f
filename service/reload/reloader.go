package reload

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
)

// A Reloader does one reload at a time, and whatever else must not come between. Those who ask
// for a reload while one is under way share the next.
type Reloader struct {
	do       func(ctx context.Context, trigger string) (report.Reload, error)
	requests chan request
	tasks    chan task
	done     chan struct{}
}

type request struct {
	trigger string
	reply   chan answer
}

type answer struct {
	reload report.Reload
	err    error
}

type task struct {
	do  func(ctx context.Context) error
	err chan error
}

// New makes a Reloader that reloads by do.
func New(do func(ctx context.Context, trigger string) (report.Reload, error)) *Reloader {
	return &Reloader{do: do, requests: make(chan request, 64), tasks: make(chan task), done: make(chan struct{})}
}

// Run reloads when asked until ctx is done.
func (r *Reloader) Run(ctx context.Context) {
	defer close(r.done)
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-r.tasks:
			t.err <- t.do(ctx)
		case first := <-r.requests:
			batch := []request{first}
			for range len(r.requests) {
				batch = append(batch, <-r.requests)
			}
			out, err := r.do(ctx, first.trigger)
			for _, q := range batch {
				q.reply <- answer{out, err}
			}
		}
	}
}

// Reload returns when a reading that began after the call is done. Errors: that of the
// reload, ctx's, and report.ErrStopping.
func (r *Reloader) Reload(ctx context.Context, trigger string) (report.Reload, error) {
	q := request{trigger, make(chan answer, 1)}
	select {
	case r.requests <- q:
	case <-ctx.Done():
		return report.Reload{}, ctx.Err()
	case <-r.done:
		return report.Reload{}, report.ErrStopping
	}
	select {
	case a := <-q.reply:
		return a.reload, a.err
	case <-ctx.Done():
		return report.Reload{}, ctx.Err()
	case <-r.done:
		return report.Reload{}, report.ErrStopping
	}
}

// Between does something between reloads and returns its error, ctx's, or
// report.ErrStopping. Do gets the context of Run.
func (r *Reloader) Between(ctx context.Context, do func(ctx context.Context) error) error {
	t := task{do, make(chan error, 1)}
	select {
	case r.tasks <- t:
		return <-t.err
	case <-ctx.Done():
		return ctx.Err()
	case <-r.done:
		return report.ErrStopping
	}
}
