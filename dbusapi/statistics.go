package dbusapi

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

func (s *Server) statistics() *iface {
	b := s.backend
	return &iface{methods: map[string]any{
		"Snapshot": func(ctx context.Context, _ *call) (values, error) {
			st, err := b.Stats(ctx)
			if err != nil {
				return nil, err
			}
			us := func(d time.Duration) uint64 { return uint64(d.Microseconds()) }
			r := &b.Status().Reloads
			out := values{}
			for key, value := range map[string]uint64{
				"events_received": st.Received, "events_dropped": st.Lost, "actions_run": st.Performed, "actions_failed": st.Failed,
				"reloads": r.Accepted, "reloads_failed": r.Failed,
				"dispatch_p50_us": us(st.P50), "dispatch_p99_us": us(st.P99), "reload_last_us": us(r.Last),
				"reload_fastest_us": us(r.Fastest), "reload_slowest_us": us(r.Slowest), "reload_average_us": us(r.Average()),
			} {
				out[key] = dbus.MakeVariant(value)
			}
			return out, nil
		},
		"Reset": func(ctx context.Context, _ *call) error { return b.ResetStats(ctx) },
	}}
}
