package report_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
)

func TestStatusLists(t *testing.T) {
	s := report.Status{
		Health: []report.Check{{Name: "keys", Status: report.Failed}, {Name: "config", Status: report.Warning}, {Name: "bus", Status: report.Failed}},
		Devices: []report.Device{
			{Name: "LPD8", Configured: true, State: report.Connected},
			{Name: "APC", Configured: true, State: report.Absent},
			{Name: "Keys", State: report.Connected},
		},
	}
	if got, want := s.Problems(), []string{"keys", "bus"}; !reflect.DeepEqual(got, want) {
		t.Errorf("problems %v, want %v", got, want)
	}
	if got, want := s.ConnectedDevices(), []string{"LPD8"}; !reflect.DeepEqual(got, want) {
		t.Errorf("connected %v, want %v", got, want)
	}
}

func TestFaultIsItsCause(t *testing.T) {
	f := &report.Fault{Check: "keys", Err: report.ErrKeysUnavailable}
	if !errors.Is(f, report.ErrKeysUnavailable) || f.Error() != report.ErrKeysUnavailable.Error() {
		t.Errorf("got %v", f)
	}
}

func TestGrade(t *testing.T) {
	for took, want := range map[time.Duration]string{
		0: "A", 20 * time.Millisecond: "A", 20*time.Millisecond + 1: "B", 50 * time.Millisecond: "B", 50*time.Millisecond + 1: "C",
		100 * time.Millisecond: "C", 200 * time.Millisecond: "D", 200*time.Millisecond + 1: "F", time.Hour: "F",
	} {
		if got := report.Grade(took); got != want {
			t.Errorf("%v: %s, want %s", took, got, want)
		}
	}
}

func TestReloads(t *testing.T) {
	var r report.Reloads
	if r.Average() != 0 {
		t.Error(r.Average())
	}
	r.Add(false, time.Hour)
	for _, took := range []time.Duration{3, 1, 5} {
		r.Add(true, took)
	}
	if want := (report.Reloads{Accepted: 3, Failed: 1, Last: 5, Fastest: 1, Slowest: 5, Total: 9}); r != want || r.Average() != 3 {
		t.Errorf("%+v, average %v", r, r.Average())
	}
}
