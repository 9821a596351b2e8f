//go:build linux

package launch

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Detect says where programs would be started.
func (p *Programs) Detect(ctx context.Context) report.Check {
	c := report.Check{Name: "process", Status: report.OK, Message: "programs and commands are units of systemd's user manager"}
	if _, _, there := p.manager(ctx); !there {
		c.Status, c.Message, c.Fix = report.Warning, errNoManager.Error(), remedy.Manager()
	}
	return c
}
