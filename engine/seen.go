package engine

import "github.com/amiable-dev/midimon/engine/report"

// statuses are the status bytes of MIDI, by Kind; those that lie below F0 want a channel.
var statuses = [...]byte{0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0, 0xFA, 0xFB, 0xFC, 0, 0}

// Unstamped tells of the messages since the last Stamp, and of the mappings that time made
// act. It is for those who watch; as the memory of why it must be on.
func (e *Engine) Unstamped(tell func(report.Seen)) {
	w := &e.why
	for i := max(w.stamped, w.n-min(w.n, whySize)); i < w.n; i++ {
		d := &w.ring[i%whySize]
		x := report.Seen{At: d.at, Data1: d.number, Value: d.value}
		if d.outcome == fired && d.mapping != nil {
			x.Mapping = d.mapping.ID
		}
		switch {
		case d.deadline && x.Mapping == "", !d.deadline && d.kind >= PortLost:
			continue
		case d.deadline:
		default:
			if x.Status = statuses[d.kind]; x.Status < 0xF0 {
				x.Status |= d.channel & 15
			}
		}
		if d.device >= 0 {
			x.Device = e.prog.Devices[d.device].Name
		}
		tell(x)
	}
}

// Holds are the ids of the modes that are held, oldest first.
func (e *Engine) Holds() []uint32 {
	var ids []uint32
	for _, h := range e.modes.held {
		ids = append(ids, h.id)
	}
	return ids
}

// HoldChanges is how often it changed which modes are held.
func (e *Engine) HoldChanges() uint32 { return e.modes.changes }
