//go:build linux

package mpris

import (
	"context"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Detect says which players there are.
func (b *Backend) Detect(ctx context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var names []string
	conn, err := b.bus.Conn(ctx)
	if err == nil {
		err = conn.BusObject().CallWithContext(ctx, driver+".ListNames", 0).Store(&names)
	}
	if err != nil {
		c.Status, c.Message, c.Fix = report.Warning, "cannot follow the players: "+err.Error(), remedy.SessionBus()
		return c
	}
	var there []string
	for _, name := range names {
		if short, ok := strings.CutPrefix(name, prefix); ok && name != proxy {
			there = append(there, short)
		}
	}
	slices.Sort(there)
	if c.Message = "players on the session bus: " + strings.Join(there, ", "); len(there) == 0 {
		c.Message = "players on the session bus, of which there is none now"
	}
	return c
}
