package midi

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/report"
)

// Find lists the ports that are there. Its error, a *report.Fault, says why there can be none, and what
// mends that.
type Find func() ([]report.Port, error)

// Detect says which ports messages can be sent to.
func (b *Backend) Detect(context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	found, err := b.find()
	if err != nil {
		c.Status, c.Message = report.Warning, "MIDI can be sent to files only that devices name: "+err.Error()
		c.Fix = report.Unexplained
		if f, ok := errors.AsType[*report.Fault](err); ok {
			c.Fix = f.Fix
		}
		return c
	}
	var names []string
	for _, p := range found {
		if p.Out {
			names = append(names, p.Client)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if c.Message = "MIDI can be sent to " + strings.Join(names, ", "); len(names) == 0 {
		c.Message = "MIDI can be sent, and nobody takes it now"
	}
	return c
}
