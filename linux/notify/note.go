package notify

import (
	"fmt"
	"html"
	"path/filepath"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// note is a notification.
type note struct {
	summary, body, icon string
	slot                string // notifications of one slot replace each other; empty: it stays alone
	timeout             time.Duration
	x                   effect.Effect // that asked for it
	asked               bool          // x did
}

// every is the time between two notifications of one slot: the newest comes last.
const every = 200 * time.Millisecond

// reloadSlot is the slot of what midimon says itself. A slash cannot be mistaken for a
// user's: those have another prefix.
const (
	reloadSlot = "midimon/reload"
	userSlot   = "slot/"
)

func noteOf(a *effect.Notify, x *effect.Effect) note {
	n := note{summary: a.Summary, body: a.Body, icon: a.Icon, timeout: a.Timeout, x: *x, asked: true}
	if a.Slot != "" {
		n.slot = userSlot + a.Slot
	}
	return n
}

// failedNote says that a changed configuration is not used, and the first reason.
func failedNote(r *report.Reload) note {
	n := note{summary: "midimon: the configuration is not used", body: r.Err, slot: reloadSlot, icon: "dialog-error"}
	errors := 0
	for i := range r.Diagnostics {
		d := &r.Diagnostics[i]
		if d.Severity != report.Error {
			continue
		}
		if errors++; errors == 1 {
			n.body = fmt.Sprintf("%s:%d:%d: %s", filepath.Base(d.File), d.Line, d.Column, d.Message)
		}
	}
	if errors > 1 {
		n.body += fmt.Sprintf("\nand %d more", errors-1)
	}
	return n
}

// shown is the body as a daemon wants it that reads markup, or does not.
func (n *note) shown(markup bool) string {
	if markup {
		return html.EscapeString(n.body)
	}
	return n.body
}

// slots says which notifications may be shown now, and which wait because their slot was
// used a moment ago.
type slots map[string]*slot

type slot struct {
	id   uint32 // of the notification that stands there; 0: none
	from time.Time
	next *note // waits until from
}

// maxSlots is how many slots are remembered that nothing waits for.
const maxSlots = 64

// take returns the slot of a note if that may be shown now. Else it waits, in the place of
// what waited before.
func (s slots) take(n *note, now time.Time) (*slot, bool) {
	if n.slot == "" {
		return &slot{}, true
	}
	at := s[n.slot]
	if at == nil {
		s.forget(now)
		at = &slot{}
		s[n.slot] = at
	}
	if now.Before(at.from) {
		at.next = n
		return nil, false
	}
	at.from, at.next = now.Add(every), nil
	return at, true
}

func (s slots) forget(now time.Time) {
	if len(s) < maxSlots {
		return
	}
	for name, at := range s {
		if at.next == nil && now.After(at.from) {
			delete(s, name)
		}
	}
}

// due is when the next note that waits may be shown.
func (s slots) due() (at time.Time, ok bool) {
	for _, one := range s {
		if one.next != nil && (!ok || one.from.Before(at)) {
			at, ok = one.from, true
		}
	}
	return at, ok
}

// waiting are the notes that may be shown now; all of them if now is zero.
func (s slots) waiting(now time.Time) (out []*note) {
	for _, one := range s {
		if one.next != nil && (now.IsZero() || !now.Before(one.from)) {
			out = append(out, one.next)
			one.next = nil
			one.from = time.Time{}
		}
	}
	return out
}

// clear forgets what stood in the slots: another daemon does not have it.
func (s slots) clear() {
	for _, one := range s {
		one.id = 0
	}
}
