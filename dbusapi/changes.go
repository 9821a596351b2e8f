package dbusapi

import (
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

const (
	healthEvery   = 250 * time.Millisecond // Health and Problems change at most that often
	failuresEvery = time.Second            // in which maxFailures ActionFailed are sent
	maxFailures   = 2
)

// changes tells one connection what became different since it was last told.
type changes struct {
	conn  *conn
	drain func() ([]report.Event, uint64)
	last  *report.Status // what was told
	from  time.Time      // nothing is told before

	held     bool      // Health changed again too soon and is to be told later
	healthAt time.Time // when it was last told

	failures   int // ActionFailed since failuresAt
	failuresAt time.Time

	diff values // of an object, while it is told
}

// due is how long something still has to wait; 0: nothing does.
func (h *changes) due(now time.Time) time.Duration {
	if wait := h.from.Sub(now); wait > 0 {
		return wait
	}
	if !h.held {
		return 0
	}
	return max(h.healthAt.Add(healthEvery).Sub(now), 1)
}

// flush tells everything: devices that came or went, then one PropertiesChanged for each
// object, then what happened, so that who hears of an event already reads its outcome.
func (h *changes) flush(now time.Time) {
	if now.Before(h.from) {
		return
	}
	events, dropped := h.drain() // before the status, which is then at least as new
	if dropped > 0 {
		h.conn.server.log.Warn("events dropped", "count", dropped)
	}
	if next := h.paced(h.conn.server.backend.Status(), now); next != h.last {
		h.devices(next)
		for _, i := range []*iface{h.conn.server.ifaces.root, h.conn.server.ifaces.mappings} {
			h.conn.changed(RootPath, i, target{status: h.last}, target{status: next})
		}
		h.last = next
	}
	for _, e := range events {
		h.event(e, now)
	}
}

// paced is next, with the health last told when it changes too fast.
func (h *changes) paced(next *report.Status, now time.Time) *report.Status {
	if next == h.last || slices.Equal(next.Health, h.last.Health) {
		h.held = false
		return next
	}
	if now.Sub(h.healthAt) < healthEvery {
		h.held = true
		old := *next
		old.Health = h.last.Health
		return &old
	}
	h.held, h.healthAt = false, now
	return next
}

func (h *changes) devices(next *report.Status) {
	if len(next.Devices) > 0 && len(next.Devices) == len(h.last.Devices) && &next.Devices[0] == &h.last.Devices[0] {
		return // it is the same list
	}
	c, i := h.conn, h.conn.server.ifaces.device
	old := make(map[string]*report.Device, len(h.last.Devices))
	for n := range h.last.Devices {
		old[h.last.Devices[n].ID] = &h.last.Devices[n]
	}
	now := make(map[string]*report.Device, len(next.Devices))
	for n := range next.Devices {
		now[next.Devices[n].ID] = &next.Devices[n]
	}
	// In the order of the lists, so that the same change gives the same signals. A device
	// whose constants differ is another one.
	for n := range h.last.Devices {
		was := &h.last.Devices[n]
		if is := now[was.ID]; is == nil || !i.constant(target{h.last, was}, target{next, is}) {
			c.emit(RootPath, objectManager, "InterfacesRemoved", DevicePath(was.ID), []string{DeviceInterface})
			delete(old, was.ID)
		}
	}
	for n := range next.Devices {
		is := &next.Devices[n]
		t := target{next, is}
		if was := old[is.ID]; was != nil {
			c.changed(DevicePath(is.ID), i, target{h.last, was}, t)
		} else {
			c.emit(RootPath, objectManager, "InterfacesAdded", DevicePath(is.ID), interfaces{DeviceInterface: i.values(t)})
		}
	}
}

// changed sends one PropertiesChanged with everything that differs and is to be told.
func (c *conn) changed(path dbus.ObjectPath, i *iface, old, now target) {
	if i.diff(old, now, c.changes.diff); len(c.changes.diff) > 0 {
		c.emit(path, propsInterface, "PropertiesChanged", i.spec.Name, c.changes.diff, []string{})
		clear(c.changes.diff)
	}
}

// eventNames are the signals of the root interface by the event that causes them.
var eventNames = map[report.EventKind]string{
	report.ModeChanged:    "ModeChanged",
	report.ActionFailed:   "ActionFailed",
	report.ReloadFinished: "ReloadFinished",
	report.Emitted:        "Emitted",

	report.ModeHoldReleased: "ModeHoldReleased",
}

func (h *changes) event(e report.Event, now time.Time) {
	name, ok := eventNames[e.Kind]
	if !ok || e.Kind == report.ActionFailed && !h.admit(now) {
		return
	}
	to := ""
	if e.Kind == report.ModeHoldReleased { // nobody else's business
		if to, ok = h.conn.mine(e.Caller); !ok {
			return
		}
	}
	h.conn.emitTo(to, RootPath, BusName, name, h.conn.server.ifaces.root.signals[name](e)...)
}

// admit lets maxFailures through in failuresEvery.
func (h *changes) admit(now time.Time) bool {
	if now.Sub(h.failuresAt) >= failuresEvery {
		h.failures, h.failuresAt = 0, now
	}
	if h.failures == maxFailures {
		return false
	}
	h.failures++
	return true
}
