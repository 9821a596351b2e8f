package service

import (
	"context"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/health"
)

// runningEvery is how old what conditions know of the programs that run may be. Nobody announces
// them, so they are counted; but only while the configuration asks for them.
const runningEvery = time.Second

// keepRunning keeps the names of the programs that run as long as some condition asks for them.
func (d *Daemon) keepRunning(ctx context.Context) {
	if d.o.Running == nil {
		return
	}
	wake, cancel := d.board.follow()
	defer cancel()
	var last time.Time
	for {
		var again <-chan time.Time
		if d.loop.Modes().Program.UsesRunning() {
			if time.Since(last) >= runningEvery {
				last = time.Now()
				d.countRunning(ctx)
			}
			again = time.After(time.Until(last.Add(runningEvery)))
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-wake: // perhaps of another configuration
		}
	}
}

func (d *Daemon) countRunning(ctx context.Context) {
	names, err := d.o.Running()
	if err == nil {
		err = d.SetRunning(ctx, names)
	}
	if ctx.Err() != nil {
		err = nil
	}
	row := health.Of("running", err)
	if err != nil {
		row.Status = report.Warning // conditions alone ask for it
	}
	d.board.post(func() { d.board.rows.Set(row) })
}
