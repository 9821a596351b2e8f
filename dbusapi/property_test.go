package dbusapi

import (
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// unmarked is an interface whose properties do not know when they are the same.
func unmarked(i *iface) *iface {
	bare := *i
	bare.props = maps.Clone(i.props)
	for name, p := range bare.props {
		p.same = nil
		bare.props[name] = p
	}
	return &bare
}

// reloaded is a daemon after a reload that changed 500 mappings.
func reloaded() *report.Status {
	s := *dbustest.NewBackend().Status()
	for n := range 500 {
		s.LastReload.Diff.Changes = append(s.LastReload.Diff.Changes, report.Change{Kind: report.Changed, ID: fmt.Sprint("pad", n), Trigger: "Note", Action: "Shell"})
	}
	return &s
}

// What a property takes for the same source gives the same value: to know it saves work and hides nothing.
func TestSameSourceSameValue(t *testing.T) {
	s := newServer(t, dbustest.NewBackend())
	base := reloaded()
	changes := map[string]func(*report.Status){
		"nothing":      func(*report.Status) {},
		"a counter":    func(s *report.Status) { s.Devices[0].Events++ },
		"a copy":       func(s *report.Status) { s.Modes = append([]string(nil), s.Modes...) },
		"a mode more":  func(s *report.Status) { s.Modes = append(s.Modes[:1:1], "x", "y") },
		"another mode": func(s *report.Status) { s.Modes = []string{s.Modes[0], "x"} },
		"bad UTF-8":    func(s *report.Status) { s.Mode = "\xff" },
		"a port":       func(s *report.Status) { s.Devices[0].Ports = []report.Port{{Name: "LPD8 MIDI 1", In: true}} },
		"health":       func(s *report.Status) { s.Health = nil },
		"a warning": func(s *report.Status) {
			s.Health = append(s.Health[:1:1], report.Check{Name: "x", Status: report.Warning})
		},
		"gone":          func(s *report.Status) { s.Devices[0].State = report.Absent },
		"inhibited":     func(s *report.Status) { s.Inhibitors = []report.Inhibitor{{Who: "a"}} },
		"how long":      func(s *report.Status) { s.LastReload.Took++ },
		"when":          func(s *report.Status) { s.LastReload.Time = s.LastReload.Time.Add(time.Second) },
		"a change":      func(s *report.Status) { s.LastReload.Diff.Changes = s.LastReload.Diff.Changes[1:] },
		"a change's id": func(s *report.Status) { s.LastReload.Diff.Changes = []report.Change{{ID: "other"}} },
		"a diagnostic":  func(s *report.Status) { s.LastReload.Diagnostics = []report.Diagnostic{{Severity: report.Warn}} },
		"all else": func(s *report.Status) {
			s.State, s.BaseMode, s.Mappings, s.Generation, s.ConfigStatus = report.Paused, "x", 7, 9, "defaults"
			s.Devices[0].Enabled, s.Devices[0].Error, s.Devices[0].Serial, s.Devices[0].USB, s.Devices[0].Name, s.Devices[0].Kind = false, "x", "y", "z", "n", "k"
		},
	}
	for name, change := range changes {
		next := *base
		next.Devices = append([]report.Device(nil), base.Devices...)
		change(&next)
		old, now := target{base, &base.Devices[0]}, target{&next, &next.Devices[0]}
		for _, i := range []*iface{s.ifaces.root, s.ifaces.mappings, s.ifaces.device} {
			got, want := values{}, values{}
			i.diff(old, now, got)
			if unmarked(i).diff(old, now, want); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s tells %v, want %v", name, i.spec.Name, got, want)
			}
			if got, want := i.constant(old, now), unmarked(i).constant(old, now); got != want {
				t.Errorf("%s: %s is constant: %v, want %v", name, i.spec.Name, got, want)
			}
		}
	}
}

// BenchmarkDiff is what a reply costs while notes come in, beside what it costs if every property is made to
// see whether it changed.
func BenchmarkDiff(b *testing.B) {
	s := newServer(b, dbustest.NewBackend())
	old := reloaded()
	now := *old
	now.Devices = append([]report.Device(nil), old.Devices...)
	now.Devices[0].Events++
	run := func(root, device *iface) time.Duration {
		began := time.Now()
		for range b.N {
			diff := values{}
			if root.diff(target{status: old}, target{status: &now}, diff); len(diff) > 0 {
				b.Fatal("there is a difference")
			}
			for n := range now.Devices {
				device.diff(target{old, &old.Devices[n]}, target{&now, &now.Devices[n]}, diff)
			}
		}
		return time.Since(began)
	}
	made := run(unmarked(s.ifaces.root), unmarked(s.ifaces.device))
	b.ResetTimer()
	marked := run(s.ifaces.root, s.ifaces.device)
	b.ReportMetric(float64(made)/float64(marked), "x-faster")
}
