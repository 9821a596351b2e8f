//go:build linux

package audio

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/amixer"
	"github.com/amiable-dev/midimon/linux/pulse"
	"github.com/amiable-dev/midimon/linux/remedy"
)

// Detect says what would change volumes, without opening it: a server may be started by that.
func (b *Backend) Detect(context.Context) report.Check {
	c := report.Check{Name: b.Name(), Status: report.OK}
	switch {
	case pulse.Configured(b.getenv):
		c.Message = "volume by the sound server, PulseAudio or PipeWire; not by amixer: not needed"
	case amixer.Available():
		c.Message = "volume by amixer, which is ALSA's; not by a sound server: there is none"
	default:
		c.Status, c.Message, c.Fix = report.Warning, errNoSound.Error(), remedy.Sound(false)
	}
	return c
}
