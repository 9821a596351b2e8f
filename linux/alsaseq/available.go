//go:build linux

package alsaseq

import (
	"slices"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// Available says whether Open would succeed. The error is a *report.Fault of check "alsa".
func (d *Driver) Available() error {
	s, err := d.connect(func(engine.Input) {})
	if err != nil {
		return d.fault(err)
	}
	s.closeClients()
	return nil
}

// Ports lists the ports that are there, and nobody's who is midimon. Errors as Available's.
func (d *Driver) Ports() ([]report.Port, error) {
	s, err := d.connect(func(engine.Input) {})
	if err != nil {
		return nil, d.fault(err)
	}
	defer s.closeClients()
	found, err := s.Ports()
	if err != nil {
		return nil, d.fault(err)
	}
	return slices.DeleteFunc(found, func(p report.Port) bool { return p.Client == d.opts.Client }), nil
}
