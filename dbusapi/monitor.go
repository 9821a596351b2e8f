package dbusapi

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// The limits of who watches.
const (
	maxBatch         = 64 // events in a signal
	maxSubscriptions = 4  // of a connection
	maxLeases        = 8  // on a connection
	maxLease         = 300 * time.Second
	maxHz            = 25
	maxWhy           = 256
)

// A SeenEvent is a row of the signal Events.
type SeenEvent struct {
	USec    uint64
	Device  string
	Status  byte
	Data1   byte
	Value   uint16
	Mapping string
}

// A monitor tells one connection of what comes in, while somebody there wants that.
type monitor struct {
	conn    *conn
	seen    <-chan report.Seen // nil: nobody does
	dropped func() uint64
	cancel  func()

	last   uint32 // the newest subscription
	subs   map[uint32]eventFilter
	leases map[string]lease // by caller

	seq    uint64      // of the last event before those that wait
	before uint64      // lost between that one and those
	rows   []SeenEvent // that wait
	after  uint64      // lost since
	sentAt time.Time
}

// A lease is somebody's wish for signals for some time.
type lease struct {
	until  time.Time
	hz     uint32
	filter eventFilter
}

// An eventFilter says which events are wanted.
type eventFilter struct {
	device, mapping *string
	mapped          *bool
}

func newEventFilter(in values) (f eventFilter, err error) {
	return f, fill(in, map[string]any{"device": &f.device, "mapping": &f.mapping, "mapped": &f.mapped})
}

func (f *eventFilter) wants(x *report.Seen) bool {
	return (f.device == nil || *f.device == x.Device) && (f.mapping == nil || *f.mapping == x.Mapping) &&
		(f.mapped == nil || *f.mapped == (x.Mapping != ""))
}

// open begins to watch.
func (m *monitor) open(ctx context.Context) (err error) {
	if m.seen == nil {
		m.seen, m.dropped, m.cancel, err = m.conn.server.backend.Watch(ctx)
	}
	return err
}

// close ends it.
func (m *monitor) close() {
	if m.seen != nil {
		m.cancel()
		m.seen, m.rows, m.before, m.after = nil, nil, 0, 0
	}
}

// idle ends it if nobody wants it any more.
func (m *monitor) idle() {
	if len(m.subs) == 0 && len(m.leases) == 0 {
		m.close()
	}
}

func (m *monitor) subscribe(ctx context.Context, f eventFilter) (uint32, error) {
	if len(m.subs) == maxSubscriptions {
		return 0, standard("LimitsExceeded", "a caller has at most %d subscriptions", maxSubscriptions)
	}
	if err := m.open(ctx); err != nil {
		return 0, err
	}
	if m.subs == nil {
		m.subs = map[uint32]eventFilter{}
	}
	m.last++
	m.subs[m.last] = f
	return m.last, nil
}

func (m *monitor) unsubscribe(id uint32) bool {
	_, ok := m.subs[id]
	delete(m.subs, id)
	m.idle()
	return ok
}

func (m *monitor) lease(ctx context.Context, caller string, l lease, now time.Time) error {
	m.expire(now)
	if _, had := m.leases[caller]; !had && len(m.leases) == maxLeases {
		return standard("LimitsExceeded", "%d callers want signals already", maxLeases)
	}
	if err := m.open(ctx); err != nil {
		return err
	}
	if m.leases == nil {
		m.leases = map[string]lease{}
	}
	m.leases[caller] = l
	return nil
}

// release ends a caller's lease.
func (m *monitor) release(caller string) {
	delete(m.leases, caller)
	m.idle()
}

// expire ends the leases whose time has passed.
func (m *monitor) expire(now time.Time) {
	for caller, l := range m.leases {
		if !now.Before(l.until) {
			delete(m.leases, caller)
		}
	}
	m.idle()
}

// every is the time from one signal to the next.
func (m *monitor) every() time.Duration {
	if len(m.subs) > 0 {
		return 0
	}
	hz := uint32(1)
	for _, l := range m.leases {
		hz = max(hz, l.hz)
	}
	return time.Second / time.Duration(hz)
}

// due is how long until flush has something to do; 0: nothing waits.
func (m *monitor) due(now time.Time) time.Duration {
	wait := time.Duration(0)
	for _, l := range m.leases {
		wait = sooner(wait, max(l.until.Sub(now), 1))
	}
	if len(m.rows) > 0 {
		wait = sooner(wait, max(m.sentAt.Add(m.every()).Sub(now), 1))
	}
	return wait
}

// take takes an event, and those that wait behind it, and sends them if it is time.
func (m *monitor) take(x report.Seen, now time.Time) {
	m.add(&x)
	for n := 1; n < maxBatch; n++ {
		select {
		case x := <-m.seen:
			m.add(&x)
			continue
		default:
		}
		break
	}
	m.flush(now)
}

func (m *monitor) add(x *report.Seen) {
	wanted := false
	for _, f := range m.subs {
		wanted = wanted || f.wants(x)
	}
	for _, l := range m.leases {
		wanted = wanted || l.filter.wants(x)
	}
	if !wanted {
		return
	}
	if len(m.rows) == maxBatch {
		m.after++
		return
	}
	m.rows = append(m.rows, SeenEvent{
		uint64(x.Time.UnixMicro()), clean(x.Device), x.Status, x.Data1, x.Value, clean(x.Mapping),
	})
}

// flush sends what waits, if it is time.
func (m *monitor) flush(now time.Time) {
	m.expire(now)
	if len(m.rows) == 0 || now.Sub(m.sentAt) < m.every() {
		return
	}
	first := m.seq + m.before + 1
	m.conn.emit(RootPath, MonitorInterface, "Events", first, uint32(min(m.before, math.MaxUint32)), m.rows)
	m.seq = first + uint64(len(m.rows)) - 1
	m.before, m.after = m.after+m.dropped(), 0
	m.rows, m.sentAt = m.rows[:0], now
}

func (s *Server) monitor() *iface {
	b := s.backend
	return &iface{
		methods: map[string]any{
			"Subscribe": func(ctx context.Context, c *call, filter values) (uint32, error) {
				if !c.conn.private {
					return 0, errPrivateOnly("Subscribe")
				}
				f, err := newEventFilter(filter)
				if err != nil {
					return 0, err
				}
				return c.conn.monitor.subscribe(ctx, f)
			},
			"Unsubscribe": func(_ context.Context, c *call, id uint32) error {
				if !c.conn.monitor.unsubscribe(id) {
					return fmt.Errorf("%w: %d", report.ErrUnknownCookie, id)
				}
				return nil
			},
			"EnableSignals": func(ctx context.Context, c *call, seconds, hz uint32, filter values) (uint32, error) {
				f, err := newEventFilter(filter)
				wait := time.Duration(seconds) * time.Second
				switch {
				case err != nil:
					return 0, err
				case wait > maxLease:
					return 0, errInvalidArgs("%d seconds are more than %d", seconds, maxLease/time.Second)
				case seconds == 0:
					c.conn.monitor.release(c.sender)
					return 0, nil
				case hz == 0:
					return 0, errInvalidArgs("0 signals a second")
				}
				hz = min(hz, maxHz)
				now := time.Now()
				return hz, c.conn.monitor.lease(ctx, c.sender, lease{now.Add(wait), hz, f}, now)
			},
			"Why": func(ctx context.Context, _ *call, n uint32) ([]values, error) {
				all, err := b.Why(ctx, int(min(n, maxWhy)))
				out := make([]values, len(all))
				for i := range all {
					out[i] = decision(&all[i])
				}
				return out, err
			},
		},
		signals: map[string]signal{
			"Events": func(report.Event) []any { return []any{uint64(0), uint32(0), []SeenEvent{}} },
		},
	}
}

// decision is a decision as Why tells it.
func decision(d *report.Decision) values {
	out := make(values, 16)
	text := func(key, word string) { out[key] = dbus.MakeVariant(clean(word)) }
	count := func(key string, n int) { out[key] = dbus.MakeVariant(uint32(n)) } //nolint:gosec // small
	us := func(key string, t time.Duration) { out[key] = dbus.MakeVariant(uint64(t.Microseconds())) }
	out["seq"], out["timed"] = dbus.MakeVariant(d.Seq), dbus.MakeVariant(d.Timed)
	us("at_us", d.At)
	us("taken_us", d.Taken)
	us("handed_us", d.Handed)
	text("kind", d.Kind)
	text("device", d.Device)
	text("mode", d.Mode)
	text("outcome", d.Outcome)
	count("channel", d.Channel)
	count("number", d.Number)
	count("value", d.Value)
	count("candidates", d.Candidates)
	for _, x := range [...]struct{ key, word string }{{"mapping", d.Mapping}, {"trigger", d.Trigger}, {"hit", d.Hit}, {"reason", d.Reason}} {
		if x.word != "" {
			text(x.key, x.word)
		}
	}
	if len(d.WaitsFor) > 0 {
		out["waits_for"] = dbus.MakeVariant(d.WaitsFor)
		us("until_us", d.Until)
	}
	return out
}
