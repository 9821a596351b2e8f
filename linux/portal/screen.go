//go:build linux

package portal

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// monitors is the type of source that we ask for.
const monitors = 1

// errNoScreens says that there is nothing by which places are told.
var errNoScreens = errors.New("cannot move the mouse to a place: the desktop's portal shares no screen with midimon, and by that it " +
	"is told; what is not absolute needs none")

// A screen is one that the user shares with us. Nothing of it is looked at: by it the desktop knows where
// a place is.
type screen struct {
	stream              uint32
	x, y, width, height int32 // where it is, as programs see it; without a size it has every place
}

// screensOf reads the streams of a session, a(ua{sv}).
func screensOf(streams any) (all []screen) {
	list, _ := streams.([][]any)
	for _, one := range list {
		if len(one) != 2 {
			continue
		}
		stream, ok := one[0].(uint32)
		is, known := one[1].(options)
		if !ok || !known {
			continue
		}
		s := screen{stream: stream}
		s.x, s.y = pair(is["position"])
		s.width, s.height = pair(is["size"])
		all = append(all, s)
	}
	return all
}

// pair reads (ii).
func pair(v dbus.Variant) (x, y int32) {
	both, _ := v.Value().([]any)
	if len(both) != 2 {
		return 0, 0
	}
	x, _ = both[0].(int32)
	y, _ = both[1].(int32)
	return x, y
}

func (s *screen) has(x, y int32) bool {
	return s.width <= 0 || s.height <= 0 || x >= s.x && x < s.x+s.width && y >= s.y && y < s.y+s.height
}

// noScreens tells a desktop that has no such portal from one that fails.
func noScreens(err error) error {
	if e, ok := errors.AsType[dbus.Error](err); ok {
		switch e.Name {
		case "org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownInterface":
			return errNoScreens
		}
	}
	return err
}

// MoveTo moves the mouse to a place on the screens, in pixels from their upper left corner. For that the
// user is asked to share them.
func (p *Portal) MoveTo(ctx context.Context, x, y int32) error {
	c, session, err := p.ready(ctx, true)
	if err != nil {
		return err
	}
	p.mu.Lock()
	screens := p.screens
	p.mu.Unlock()
	for _, s := range screens {
		if s.has(x, y) {
			return call(ctx, c, session, "NotifyPointerMotionAbsolute", []any{s.stream, float64(x - s.x), float64(y - s.y)})
		}
	}
	return fmt.Errorf("cannot move the mouse to %d,%d: it is on no screen that you share with midimon", x, y)
}
