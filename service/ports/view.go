package ports

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/health"
	"github.com/amiable-dev/midimon/service/reload"
)

// View is how devices and drivers stand. It is not changed once it is published; only the
// counters go on.
type View struct {
	Checks  []report.Check // devices and drivers that are not all right
	devices []report.Device
	counts  []*counter // of the configured ones
	now     func() time.Duration
}

// Devices are the configured devices in file order, then the others that are there by name,
// with the counters as they are now.
func (v *View) Devices() []report.Device {
	out := slices.Clone(v.devices)
	for i, c := range v.counts {
		if out[i].Events = c.events.Load(); out[i].Events > 0 {
			out[i].LastEvent = time.Now().Add(time.Duration(c.last.Load()) - v.now())
		}
	}
	return out
}

// Initial is how things stand before Run.
func (s *Supervisor) Initial() *View { return s.view(nil, nil) }

func (s *Supervisor) view(verdicts []verdict, clashing map[string]string) *View {
	v := &View{now: s.now}
	taken := map[string]bool{}
	for i := range s.program.Devices {
		d := s.configured(i, verdicts)
		if i < len(verdicts) {
			for _, p := range verdicts[i].ports {
				taken[p.instrument()] = true
			}
		}
		v.devices = append(v.devices, d)
		v.counts = append(v.counts, &s.memory(&s.program.Devices[i]).counter)
		if c, ok := check(&d); ok && s.settled() {
			if d.State == report.Absent {
				c.Message, c.Fix = s.missed(&s.program.Devices[i])
			}
			v.Checks = append(v.Checks, c)
		}
	}
	v.devices = append(v.devices, s.others(taken, clashing)...)
	for _, d := range s.drivers {
		if d.err != nil && s.uses(d) {
			v.Checks = append(v.Checks, driverCheck(d))
		}
	}
	return v
}

// settled says whether every driver was tried. Before that nothing is missed.
func (s *Supervisor) settled() bool {
	return !slices.ContainsFunc(s.drivers, func(d *driver) bool { return d.session == nil && d.err == nil })
}

// configured is a device of the program as it stands.
func (s *Supervisor) configured(i int, verdicts []verdict) report.Device {
	of := &s.program.Devices[i]
	m := s.memory(of)
	d := report.Device{
		ID: of.Name, Name: of.Name, Kind: m.kind, USB: m.usb, Serial: m.serial, State: report.Absent,
		Enabled: s.wanted(i), Optional: of.Optional, Configured: true,
	}
	switch {
	case s.left[of.Name]:
		d.State, d.Error = report.Ignored, "it was unplugged, and auto_reconnect is false; midimonctl reload takes it again"
	case !d.Enabled:
		d.State = report.Ignored
	case i >= len(verdicts):
	case verdicts[i].clash != "":
		d.State, d.Error = report.Faulty, verdicts[i].clash
	default:
		for _, p := range verdicts[i].ports {
			d.Ports = append(d.Ports, p.Port)
			switch err := s.failures[p.key()]; {
			case d.Error != "": // the first says enough
			case err != nil:
				d.State, d.Error = stateOf(err), err.Error()
			case s.open[p.key()] != nil:
				d.State = report.Connected
			}
		}
	}
	return d
}

func stateOf(err error) report.DeviceState {
	switch {
	case errors.Is(err, report.ErrDeviceBusy):
		return report.Busy
	case errors.Is(err, report.ErrDeviceAbsent):
		return report.Absent
	}
	return report.Faulty
}

// check is a device's row of health, if there is something to say.
func check(d *report.Device) (report.Check, bool) {
	failed := func(kind, message, fix string) (report.Check, bool) {
		return report.Check{Name: kind + ":" + d.Name, Status: report.Failed, Message: message, Fix: fix}, true
	}
	switch {
	case d.State == report.Absent && !d.Optional:
		return failed("device-absent", "", "") // missed says more
	case d.State == report.Busy:
		return failed("device-busy", d.Name+" is held by another program: "+d.Error, "fuser -v /dev/snd/*")
	case d.State == report.Faulty && len(d.Ports) > 0:
		return failed("device-error", d.Error, reload.Command("midimonctl devices --reconnect ", d.Name))
	case d.State == report.Faulty: // two fit: what tells them apart
		return failed("device-error", d.Error, "midimonctl devices --verbose")
	}
	return report.Check{}, false
}

// others are the instruments that are there and not configured, or that nobody could choose.
func (s *Supervisor) others(taken map[string]bool, clashing map[string]string) []report.Device {
	var out []report.Device
	index := map[string]int{}
	for _, p := range s.allPorts() {
		instrument := p.instrument()
		if taken[instrument] || !p.Hard {
			continue
		}
		i, ok := index[instrument]
		if !ok {
			i = len(out)
			index[instrument] = i
			d := report.Device{ID: p.id(), Name: p.Client, Kind: p.driver.Name(), USB: p.USB, Serial: p.Serial, State: report.Ignored}
			if slices.ContainsFunc(out, func(o report.Device) bool { return o.ID == d.ID }) {
				d.ID = instrument // two have the same serial number
			}
			if stanza := clashing[instrument]; stanza != "" {
				d.State, d.Error = report.Faulty, "write "+stanza
			}
			out = append(out, d)
		}
		out[i].Ports = append(out[i].Ports, p.Port)
	}
	return out
}

// missed says for people that a device is absent, and what mends that. While nobody can look, nothing is
// said of what is plugged in.
func (s *Supervisor) missed(of *engine.Device) (message, fix string) {
	var blind error
	for _, d := range s.drivers {
		if !finds(d, of) {
			continue
		}
		if blind = d.err; blind == nil {
			break
		}
	}
	every := slices.ContainsFunc(of.Match, func(m engine.Match) bool { return has(m, engine.MatchAny) }) // and the name is ours
	switch {
	case blind != nil && every:
		return "no MIDI controller can be found: " + blind.Error(), health.Of("", blind).Fix
	case blind != nil:
		return "the device " + of.Name + " cannot be found: " + blind.Error(), health.Of("", blind).Fix
	case every:
		return "no MIDI controller is plugged in", "plug in a MIDI controller"
	}
	return "the device " + of.Name + " is not plugged in", "midimonctl devices" // what is, and by which name
}

// uses says whether the program has a device that the driver could find.
func (s *Supervisor) uses(d *driver) bool {
	for i := range s.program.Devices {
		if s.wanted(i) && finds(d, &s.program.Devices[i]) {
			return true
		}
	}
	return false
}

// finds says whether a driver could find a device.
func finds(d *driver, of *engine.Device) bool {
	return slices.ContainsFunc(of.Match, func(m engine.Match) bool { return has(m, engine.MatchRaw) == (d.Name() == rawKind) })
}

func has(m engine.Match, kind engine.MatchKind) bool {
	return slices.ContainsFunc(m, func(k engine.MatchKey) bool { return k.Kind == kind })
}

func driverCheck(d *driver) report.Check {
	return health.Of(d.Name(), d.err)
}

func unknown(id string) error { return fmt.Errorf("%w: %s", report.ErrUnknownDevice, id) }

// Moved says whether the counters have gone on since Devices returned was.
func (v *View) Moved(was []report.Device) bool {
	for i, c := range v.counts {
		if was[i].Events != c.events.Load() {
			return true
		}
	}
	return false
}
