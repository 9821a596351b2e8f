package client

import (
	"context"
	"fmt"
	"math"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// A Seen is a message that came in, or a mapping that time made act (Kind "time").
type Seen struct {
	USec    uint64 `json:"time_usec"`
	Device  string `json:"device"`
	Kind    string `json:"kind"`
	Channel uint8  `json:"channel"` // 0-15; 0 where the kind has none
	Number  uint8  `json:"number"`  // note, controller or program
	Value   uint16 `json:"value"`   // 7 bits, of "pitch-bend" 14
	Mapping string `json:"mapping"` // that acted, or empty
}

// Kinds are the words of Seen.Kind.
var Kinds = []string{
	"note-on", "note-off", "poly-pressure", "control-change", "program-change", "pressure", "pitch-bend",
	"sysex", "start", "continue", "stop", "system", "time",
}

// An EventFilter says which messages are wanted; what is nil or empty does not matter.
type EventFilter struct {
	Device, Mapping *string
	Mapped          *bool
	Kinds           []string
	Channel         *uint8
}

func (f *EventFilter) wants(s *Seen) bool {
	kind := len(f.Kinds) == 0
	for _, k := range f.Kinds {
		kind = kind || k == s.Kind
	}
	return kind && (f.Channel == nil || *f.Channel == s.Channel)
}

// Monitor tells of every message that the filter wants, and of how many were lost before
// them, here too if tell is slow, until ctx is done or tell returns an error. It works on the
// private socket only.
func (c *Client) Monitor(ctx context.Context, f EventFilter, tell func(seen []Seen, dropped uint32) error) error {
	filter := wish(map[string]any{"device": f.Device, "mapping": f.Mapping, "mapped": f.Mapped})
	var id uint32
	if err := c.call(ctx, dbusapi.MonitorInterface+".Subscribe", []any{filter}, &id); err != nil {
		return err
	}
	var next uint64 // the number of the next event if none is lost; 0: none came yet
	for s := c.next(ctx); s != nil; s = c.next(ctx) {
		if s.Name != dbusapi.MonitorInterface+".Events" {
			continue
		}
		var first uint64
		var lost uint32
		var rows []dbusapi.SeenEvent
		if err := dbus.Store(s.Body, &first, &lost, &rows); err != nil {
			return fmt.Errorf("cannot read what came in: %w", err)
		}
		if next != 0 {
			lost = uint32(min(first-next, math.MaxUint32)) //nolint:gosec // it is at most that
		}
		next = first + uint64(len(rows))
		seen := make([]Seen, 0, len(rows))
		for _, r := range rows {
			if x := seenOf(r); f.wants(&x) {
				seen = append(seen, x)
			}
		}
		if len(seen) == 0 && lost == 0 {
			continue
		}
		if err := tell(seen, lost); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // whoever ended it knows
	}
	return ErrLost
}

// seenOf reads the status byte of MIDI.
func seenOf(r dbusapi.SeenEvent) Seen {
	s := Seen{USec: r.USec, Device: r.Device, Number: r.Data1, Value: r.Value, Mapping: r.Mapping}
	if r.Status < 0xf0 {
		s.Channel = r.Status & 0x0f
	}
	switch r.Status & 0xf0 {
	case 0x80:
		s.Kind = "note-off"
	case 0x90:
		s.Kind = "note-on"
		if r.Value == 0 {
			s.Kind = "note-off"
		}
	case 0xa0:
		s.Kind = "poly-pressure"
	case 0xb0:
		s.Kind = "control-change"
	case 0xc0:
		s.Kind = "program-change"
	case 0xd0:
		s.Kind = "pressure"
	case 0xe0:
		s.Kind = "pitch-bend"
	case 0xf0:
		s.Kind = map[byte]string{0xf0: "sysex", 0xfa: "start", 0xfb: "continue", 0xfc: "stop"}[r.Status]
		if s.Kind == "" {
			s.Kind = "system"
		}
	default:
		s.Kind = "time"
	}
	return s
}
