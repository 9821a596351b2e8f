package service

import (
	"context"
	"fmt"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/health"
	"github.com/amiable-dev/midimon/service/reload"
)

// The words of Status.ConfigStatus.
const (
	configOK       = "ok"
	configKept     = "kept-previous"
	configDefaults = "defaults"
)

const (
	configCheck = "config"
	// slow is when State says that a reload is under way.
	slow = 250 * time.Millisecond
	// patience is how long somebody may write before we say that we wait for it.
	patience = 2 * time.Second
)

// outcome is a reading as it is reported. Generation is that of the program which acts.
func outcome(o *reload.Outcome, trigger string, began time.Time, generation uint64) report.Reload {
	r := report.Reload{
		Time: began, OK: o.Err == nil, Trigger: trigger, Took: time.Since(began), Phases: o.Phases,
		Generation: generation, Diagnostics: o.Diagnostics,
	}
	if o.Err != nil {
		r.Err = o.Err.Error()
	}
	if o.Program != nil {
		r.Modes, r.Mappings = len(o.Program.Modes), len(o.Program.Mappings)
	}
	return r
}

// configured takes the outcome of a reading. The board's goroutine calls it, or nobody else yet.
func (b *board) configured(o *reload.Outcome, r report.Reload) {
	b.base.LastReload, b.base.Diagnostics = r, r.Diagnostics
	row := health.Of(configCheck, o.Err)
	if row.Fix == "" {
		row.Fix = reload.Command("midimonctl validate ", b.base.ConfigPath)
	}
	switch {
	case o.Err == nil:
		b.program = o.Program
		b.base.ConfigStatus, b.base.Generation = configOK, r.Generation
	case o.Missing && b.base.ConfigStatus != configOK && b.base.ConfigStatus != configKept:
		b.base.ConfigStatus = configDefaults
		row.Status = report.Warning
		row.Message = "nothing is mapped: there is no configuration at " + b.base.ConfigPath
	case b.base.ConfigStatus == "" || b.base.ConfigStatus == configDefaults:
		b.base.ConfigStatus = configDefaults
	default:
		b.base.ConfigStatus = configKept
	}
	b.rows.Set(row)
}

// reload reads the configuration and makes it the program. A bad one changes nothing.
func (d *Daemon) reload(ctx context.Context, trigger string) (r report.Reload, err error) {
	began := time.Now()
	defer d.reloading()()
	defer d.follower.Poke()
	d.o.Beside(func() {
		o := d.read(ctx, patience)
		r, err = d.adopt(ctx, &o, trigger, began)
	})
	return r, err
}

// reloading shows that a reload is under way if it is not over soon.
func (d *Daemon) reloading() (over func()) {
	b, done := d.board, false // which is the board's
	long := time.AfterFunc(slow, func() {
		b.post(func() { b.phase.Reloading = !done })
	})
	return func() {
		if !long.Stop() {
			b.post(func() { done, b.phase.Reloading = true, false })
		}
	}
}

// read reads the configuration. It waits for somebody who writes it, but not for long.
func (d *Daemon) read(ctx context.Context, limit time.Duration) reload.Outcome {
	for over := time.Now().Add(limit); ; {
		o := d.reader.Read(reload.Settled)
		if o.Again == 0 {
			return o
		}
		if time.Now().After(over) || ctx.Err() != nil {
			o.Err = fmt.Errorf("%w: somebody still writes it", report.ErrConfigUnreadable)
			return o
		}
		time.Sleep(o.Again)
	}
}

// changed reads the configuration if it is another and nobody writes it any more.
func (d *Daemon) changed(ctx context.Context, quiet, detect time.Duration) (again time.Duration, writing bool) {
	_ = d.reloader.Between(ctx, func(ctx context.Context) (err error) { // how it went is reported
		began := time.Now()
		defer d.reloading()()
		d.o.Beside(func() {
			o, other := d.reader.ReadOther(quiet)
			again, writing = o.Again, o.Writing
			if other && again == 0 {
				o.Phases.Detect = detect
				_, err = d.adopt(ctx, &o, "file", began.Add(-detect))
			}
		})
		return err
	})
	d.written(writing && quiet > patience)
	return again, writing
}

// written says whether somebody keeps us from reading the configuration.
func (d *Daemon) written(still bool) {
	if still == d.waiting {
		return
	}
	d.waiting = still
	row := report.Check{Name: "config-written", Status: report.OK}
	if still {
		row.Status, row.Fix = report.Warning, reload.Command("fuser -v ", d.o.Config)
		row.Message = "somebody holds the configuration at " + d.o.Config + " open for writing: it is read when that ends"
	}
	d.board.post(func() { d.board.rows.Set(row) })
}

// unwatched says what keeps us from seeing changes of the configuration.
func (d *Daemon) unwatched(err error) {
	row := health.Of("config-watch", err)
	if err != nil {
		row.Status = report.Warning // a reload that is asked for reads it
		d.o.Log.Warn("configuration not watched", "err", err)
	}
	d.board.post(func() { d.board.rows.Set(row) })
}

// adopt makes what was read the program, if it is good, and reports how it went.
func (d *Daemon) adopt(ctx context.Context, o *reload.Outcome, trigger string, began time.Time) (report.Reload, error) {
	b := d.board
	if o.Err == nil {
		swapping := time.Now()
		if err := d.ports.Swap(ctx, o.Program); err != nil { // it only fails when we stop
			return report.Reload{}, err
		}
		o.Phases.Swap = time.Since(swapping)
	}
	r := outcome(o, trigger, began, b.generation())
	if o.Err == nil {
		d.applySettings(o.Settings)
		d.takeUp(ctx, o.Program)
		r.Generation++
		r.Grade = report.Grade(r.Took)
		r.Diff = d.undo.accept(o)
	}
	b.finished(func() {
		b.phase.Reloading = false
		b.base.Reloads.Add(r.OK, r.Took)
		b.base.Armed = d.undo.armed()
		b.configured(o, r)
	}, &r)
	if o.Err != nil {
		d.o.Log.Error("reload failed", "trigger", trigger, "err", o.Err)
		if d.o.Notifier != nil {
			d.o.Notifier.ReloadFailed(r)
		}
	} else {
		d.o.Log.Info("reloaded", "trigger", trigger, "generation", r.Generation, "mappings", r.Mappings, "took", r.Took, "grade", r.Grade)
	}
	d.free.soon()
	return r, o.Err
}

// finished publishes what a reload changed, and then that it happened.
func (b *board) finished(change func(), r *report.Reload) {
	b.post(func() {
		change()
		b.publish()
		b.tell(report.Event{Kind: report.ReloadFinished, Reload: r})
	})
}

// generation is that of the program which acts. Only reloads change it, and those come one
// after the other.
func (b *board) generation() (g uint64) {
	b.post(func() { g = b.base.Generation })
	return g
}
