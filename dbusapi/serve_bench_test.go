package dbusapi

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// busy decides much.
type busy struct{ *dbustest.Backend }

func (busy) Why(_ context.Context, n int) ([]report.Decision, error) {
	out := make([]report.Decision, n)
	for i := range out {
		out[i] = report.Decision{
			Seq: uint64(i), At: time.Hour, Kind: "note-on", Device: "LPD8", Channel: 9, Number: 36, Value: 100, Mode: "Default",
			Candidates: 1, Outcome: "fired", Mapping: "play", Trigger: "Note", Taken: 12 * time.Microsecond, Handed: 20 * time.Microsecond,
		}
	}
	return out, nil
}

// BenchmarkServe is what calls cost once they are decoded, their replies written to a socket that somebody reads.
func BenchmarkServe(b *testing.B) {
	s := newServer(b, busy{dbustest.NewBackend()})
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	c, err := s.attach(b.Context(), newPeerLink(newLink(ours, s.writeTimeout), s.guid), true)
	if err != nil {
		b.Fatal(err)
	}
	_, drain, unsubscribe := s.backend.Subscribe()
	defer unsubscribe()
	c.changes = changes{conn: c, drain: drain, last: s.backend.Status(), diff: values{}}
	for _, call := range []call{
		{iface: peerInterface, member: "Ping"},
		{iface: introspectable, member: "Introspect"},
		{iface: propsInterface, member: "Get", signature: "ss", body: []any{BusName, "Mode"}},
		{iface: propsInterface, member: "GetAll", signature: "s", body: []any{BusName}},
		{iface: BusName, member: "CycleMode", signature: "i", body: []any{int32(1)}}, // and the signals of what it changed
		{iface: MonitorInterface, member: "Why", signature: "u", body: []any{uint32(256)}},
	} {
		call.conn, call.path = c, RootPath
		b.Run(call.member, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k := call
				c.serve(&k)
			}
		})
	}
}

// BenchmarkCall is what it costs to read a call, without godbus and with it.
func BenchmarkCall(b *testing.B) {
	wire := called(b, binary.LittleEndian, BusName, "Mode")
	for name, read := range map[string]func() error{
		"plain": func() error {
			if _, ok := plainCall(wire); !ok {
				return errors.New("it is not plain")
			}
			return nil
		},
		"godbus": func() error { _, err := asGodbus(wire); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
