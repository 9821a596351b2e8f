//go:build linux

package buscall

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Detect says which buses there are to call by.
func (b *Backend) Detect(ctx context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	var says []string
	for _, system := range []bool{false, true} {
		name, fix := "the session's bus", remedy.SessionBus()
		if system {
			name, fix = "the system's bus", remedy.SystemBus()
		}
		if _, err := b.bus(system).Conn(ctx); err != nil {
			c.Status, c.Fix = report.Warning, cmp.Or(c.Fix, fix)
			says = append(says, fmt.Sprintf("no calls on %s: %v", name, err))
		} else {
			says = append(says, "calls on "+name)
		}
	}
	c.Message = strings.Join(says, "; ")
	return c
}
