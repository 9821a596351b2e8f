//go:build linux

package keys

import (
	"context"
	"errors"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
	"github.com/amiable-dev/midimon/linux/uinput"
)

// Choice says what does what, and why the others do not. It never blocks.
func (b *Backend) Choice() report.Check {
	if c := b.shown.Load(); c != nil {
		return *c
	}
	return report.Check{Name: b.Name(), Status: report.Warning, Message: "not opened yet", Fix: report.Unexplained}
}

// Detect looks and says what would be chosen, without opening anything for good.
func (b *Backend) Detect(ctx context.Context) report.Check {
	w := b.look(ctx)
	return b.judge(w, choose(w, b.backend()))
}

func (b *Backend) judge(w *world, c choice) report.Check {
	row := report.Check{Name: b.Name(), Status: report.OK, Message: explain(w, b.backend(), c)}
	switch {
	case c.keys == "":
		row.Status, row.Fix = report.Failed, b.fix(w)
	case c.text == byUinput && w.console.Message != "":
		row.Status, row.Fix = report.Warning, w.console.Fix
		row.Message += "; " + w.console.Message
	}
	return row
}

// TellOfText gives it, before Open, what to call when texts cannot be typed although it is open, and when
// they can again: then the check has no message.
func (b *Backend) TellOfText(tell func(report.Check)) { b.tell = tell }

// tellOfText tells it if it is news.
func (b *Backend) tellOfText(c choice, row report.Check) {
	if c.text != byUinput {
		row = report.Check{}
	}
	old := b.told.Swap(&row)
	if known := old != nil && *old == row || old == nil && row.Message == ""; b.tell != nil && !known {
		b.tell(row)
	}
}

// fix is what lets something press keys.
func (b *Backend) fix(w *world) string {
	if b.absent.Load() {
		return remedy.Seat
	}
	if w.compositor != "" && b.portal != nil && b.portal.Refused() {
		return "midimonctl restart" // which asks again
	}
	if named := b.backend(); named != "" && named != anyway && choose(w, anyway).keys != "" {
		return `write backend = "` + anyway + `" into [input] of the configuration`
	}
	if f, ok := errors.AsType[*report.Fault](uinput.Available()); ok {
		return f.Fix
	}
	return report.Unexplained
}
