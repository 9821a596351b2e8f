package client

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// A Decision is what was made of one event, or of time, and why. *_us are microseconds.
type Decision struct {
	Seq        uint64   `json:"seq"`
	AtUS       uint64   `json:"at_us"` // CLOCK_MONOTONIC
	Kind       string   `json:"kind"`  // of the message, "note-on"; may be empty when timed
	Device     string   `json:"device"`
	Channel    uint32   `json:"channel"` // 0-15
	Number     uint32   `json:"number"`
	Value      uint32   `json:"value"`
	Timed      bool     `json:"timed"` // time made it act, or a caller, not a message
	Mode       string   `json:"mode"`
	Candidates uint32   `json:"candidates"`
	Outcome    string   `json:"outcome"`
	Mapping    string   `json:"mapping"`
	Trigger    string   `json:"trigger"`
	Hit        string   `json:"hit"`
	Reason     string   `json:"reason"`
	WaitsFor   []string `json:"waits_for"`
	UntilUS    uint64   `json:"until_us"`  // 0: nothing waits
	TakenUS    uint64   `json:"taken_us"`  // from the arrival until it was taken
	HandedUS   uint64   `json:"handed_us"` // from the arrival until what came of it was handed on
}

// Why tells the newest decisions, at most n (256), the newest last.
func (c *Client) Why(ctx context.Context, n int) ([]Decision, error) {
	var rows []map[string]dbus.Variant
	if err := c.call(ctx, dbusapi.BusName+".Monitor.Why", []any{uint32(n)}, &rows); err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, row := range rows {
		d := &out[i]
		d.WaitsFor = []string{}
		if err := store(row, map[string]any{
			"seq": &d.Seq, "at_us": &d.AtUS, "kind": &d.Kind, "device": &d.Device, "channel": &d.Channel, "number": &d.Number,
			"value": &d.Value, "timed": &d.Timed, "mode": &d.Mode, "candidates": &d.Candidates, "outcome": &d.Outcome,
			"mapping": &d.Mapping, "trigger": &d.Trigger, "hit": &d.Hit, "reason": &d.Reason, "waits_for": &d.WaitsFor,
			"until_us": &d.UntilUS, "taken_us": &d.TakenUS, "handed_us": &d.HandedUS,
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Stats are counters since the daemon began, or since they were reset.
type Stats struct {
	Received      uint64 `json:"events_received"`
	Dropped       uint64 `json:"events_dropped"`
	Run           uint64 `json:"actions_run"`
	Failed        uint64 `json:"actions_failed"`
	Reloads       uint64 `json:"reloads"`
	ReloadsFailed uint64 `json:"reloads_failed"`
	P50US         uint64 `json:"dispatch_p50_us"`
	P99US         uint64 `json:"dispatch_p99_us"`
	ReloadLast    uint64 `json:"reload_last_us"`
	ReloadFastest uint64 `json:"reload_fastest_us"`
	ReloadSlowest uint64 `json:"reload_slowest_us"`
	ReloadAverage uint64 `json:"reload_average_us"`
}

// Stats reads the counters.
func (c *Client) Stats(ctx context.Context) (*Stats, error) {
	var values map[string]dbus.Variant
	if err := c.call(ctx, dbusapi.BusName+".Statistics.Snapshot", nil, &values); err != nil {
		return nil, err
	}
	s := &Stats{}
	return s, store(values, map[string]any{
		"events_received": &s.Received, "events_dropped": &s.Dropped, "actions_run": &s.Run, "actions_failed": &s.Failed,
		"reloads": &s.Reloads, "reloads_failed": &s.ReloadsFailed, "dispatch_p50_us": &s.P50US, "dispatch_p99_us": &s.P99US,
		"reload_last_us": &s.ReloadLast, "reload_fastest_us": &s.ReloadFastest, "reload_slowest_us": &s.ReloadSlowest,
		"reload_average_us": &s.ReloadAverage,
	})
}

// ResetStats makes the counters begin anew.
func (c *Client) ResetStats(ctx context.Context) error {
	return c.call(ctx, dbusapi.BusName+".Statistics.Reset", nil)
}
