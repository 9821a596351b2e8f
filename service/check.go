package service

import (
	"context"
	"sync"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// A Checker is a Backend that can say of a program what of it cannot work.
type Checker interface {
	Backend
	// Check works until ctx is done. It calls tell, from any goroutine, with all rows that
	// hold, at first if there are any and then whenever they change.
	Check(ctx context.Context, p *engine.Program, tell func([]report.Check))
}

// keepChecked has the checkers look at each program that acts.
func (d *Daemon) keepChecked(ctx context.Context) {
	if d.o.DryRun != nil {
		return
	}
	var checkers []Checker
	for _, b := range d.o.Backends {
		if c, ok := b.(Checker); ok {
			checkers = append(checkers, c)
		}
	}
	if len(checkers) == 0 {
		return
	}
	wake, cancel := d.board.follow()
	defer cancel()
	var checked *engine.Program
	stop := func() {}
	defer func() { stop() }()
	for {
		if p := d.loop.Modes().Program; p != checked {
			stop()
			checked, stop = p, d.check(ctx, checkers, p)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
	}
}

// check has the checkers look at a program, until what it returns is called. Then no row of
// theirs is left.
func (d *Daemon) check(ctx context.Context, checkers []Checker, p *engine.Program) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var checking sync.WaitGroup
	told := make([][]report.Check, len(checkers))
	for i, c := range checkers {
		tell := func(rows []report.Check) { d.board.post(func() { d.board.replace(told[i], rows); told[i] = rows }) }
		checking.Go(func() {
			c.Check(ctx, p, tell)
			tell(nil)
		})
	}
	return func() {
		cancel()
		checking.Wait()
	}
}

// replace takes rows out and others in.
func (b *board) replace(was, is []report.Check) {
	for _, c := range was {
		b.rows.Drop(c.Name)
	}
	for _, c := range is {
		b.rows.Set(c)
	}
}
