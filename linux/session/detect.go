//go:build linux

package session

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Detect says how the session fares now, or that nobody can tell.
func (w *Watcher) Detect(ctx context.Context) report.Check {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := make(chan report.Session, 1)
	go w.run(ctx, false, func(s report.Session) {
		select {
		case first <- s:
		default:
		}
	})
	c := report.Check{Name: "session", Status: report.OK}
	s := new(logind).session() // of whom nothing is known
	select {
	case s = <-first:
	case <-ctx.Done():
	}
	switch {
	case !s.Known:
		c.Status, c.Fix = report.Warning, s.Fix
		c.Message = "logind does not answer: whether the screen is locked, or another user in front, is not known"
	case !s.Present:
		c.Status, c.Fix = report.Warning, remedy.Seat
		c.Message = "no session of yours is at a seat: nothing acts"
	case !s.Active:
		c.Message = "your session is not in front: nothing acts"
	case s.Locked:
		c.Message = "the screen is locked: little acts"
	default:
		c.Message = "your session is in front and not locked"
	}
	return c
}
