//go:build linux

package buscall

import (
	"context"
	"fmt"
	"strings"

	"github.com/amiable-dev/midimon/engine/report"
)

// Detect says which buses there are to call by.
func (b *Backend) Detect(ctx context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	var says []string
	for _, system := range []bool{false, true} {
		name := "the session's bus"
		if system {
			name = "the system's bus"
		}
		if _, err := b.bus(system).Conn(ctx); err != nil {
			c.Status = report.Warning
			says = append(says, fmt.Sprintf("no calls on %s: %v", name, err))
		} else {
			says = append(says, "calls on "+name)
		}
	}
	c.Message = strings.Join(says, "; ")
	return c
}
