// Package health judges: rows of checks in, the daemon's state out. It looks at nothing
// itself and keeps no time.
package health

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/amiable-dev/midimon/engine/report"
)

// Rows are the checks by name. A check that is not there is all right; the zero value has none.
type Rows struct {
	rows  map[string]report.Check
	list  []report.Check // of rows, unless it is stale
	stale bool
}

// Set takes a row in; one that is OK takes it out.
func (r *Rows) Set(c report.Check) {
	was, had := r.rows[c.Name]
	switch {
	case c.Status != report.OK && was != c:
		if r.rows == nil {
			r.rows = map[string]report.Check{}
		}
		r.rows[c.Name] = c
	case c.Status == report.OK && had:
		delete(r.rows, c.Name)
	default:
		return
	}
	r.stale = true
}

// Drop takes the row of that name out.
func (r *Rows) Drop(name string) { r.Set(report.Check{Name: name, Status: report.OK}) }

// List is the rows not ok, failed ones first, else by name: the same list until one of them is another. It is
// only read.
func (r *Rows) List() []report.Check {
	if r.stale {
		r.stale = false
		r.list = slices.SortedFunc(maps.Values(r.rows), func(a, b report.Check) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
		})
	}
	return r.list
}

func rank(c report.Check) int {
	if c.Status == report.Failed {
		return 0
	}
	return 1
}

// Phase is what the daemon is doing, beside how it fares.
type Phase struct {
	Stopping, Starting, Reloading, Paused bool
}

// State is the first that applies, in the order of report.State's declaration.
func State(p Phase, rows []report.Check) report.State {
	switch {
	case p.Stopping:
		return report.Stopping
	case p.Starting:
		return report.Starting
	case p.Reloading:
		return report.Reloading
	case p.Paused:
		return report.Paused
	case slices.ContainsFunc(rows, func(c report.Check) bool { return c.Status == report.Failed }):
		return report.Degraded
	}
	return report.Running
}

// Of is the row that an error makes: the one that a *report.Fault names, else check.
func Of(check string, err error) report.Check {
	c := report.Check{Name: check, Status: report.OK}
	if err == nil {
		return c
	}
	c.Status, c.Message, c.Fix = report.Failed, err.Error(), report.Unexplained
	if f, ok := errors.AsType[*report.Fault](err); ok {
		c.Name, c.Fix = cmp.Or(f.Check, check), cmp.Or(f.Fix, report.Unexplained)
	}
	return c
}
