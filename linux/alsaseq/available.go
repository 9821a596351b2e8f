//go:build linux

package alsaseq

import "github.com/amiable-dev/midimon/engine"

// Available says whether Open would succeed. The error is a *report.Fault of check "alsa".
func (d *Driver) Available() error {
	s, err := d.connect(func(engine.Input) {})
	if err != nil {
		return d.fault(err)
	}
	s.closeClients()
	return nil
}
