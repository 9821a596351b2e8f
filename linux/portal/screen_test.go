//go:build linux

package portal

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// pairOf is (ii).
type pairOf struct{ X, Y int32 }

// twoScreens are one beside the other.
func twoScreens() []stream {
	return []stream{
		{41, options{"position": dbus.MakeVariant(pairOf{0, 0}), "size": dbus.MakeVariant(pairOf{1920, 1080})}},
		{42, options{"position": dbus.MakeVariant(pairOf{1920, 100}), "size": dbus.MakeVariant(pairOf{1280, 1024})}},
	}
}

// Who only presses shares no screen. For a place the user is asked again, and the session that has
// screens serves for all.
func TestPlaces(t *testing.T) {
	d, p := newDesktop(t, 2)
	ctx := t.Context()
	do := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	d.start <- 0
	do(p.Key(ctx, 30, true))
	d.wants("CreateSession", `SelectDevices 3 2 ""`, "Start", "NotifyKeyboardKeycode[30 1]")
	over := p.Over()
	d.start <- 0
	do(p.MoveTo(ctx, 100, 200)) // what was down is let go of: the session is another
	d.wants("CreateSession", `SelectDevices 3 2 ""`, "SelectSources 1 true", "Start", "NotifyKeyboardKeycode[30 0]", "NotifyPointerMotionAbsolute[41 100 200]")
	do(p.MoveTo(ctx, 2000, 300), p.Key(ctx, 31, true), p.Key(ctx, 31, false))
	d.wants("NotifyPointerMotionAbsolute[42 80 200]", "NotifyKeyboardKeycode[31 1]", "NotifyKeyboardKeycode[31 0]")
	if err := p.MoveTo(ctx, 2000, 50); err == nil || !strings.Contains(err.Error(), "2000,50") {
		t.Errorf("a place on no screen: %v", err)
	}
	select {
	case <-over:
		t.Fatal("the end of the session that was replaced is that of all")
	default:
	}
	// The next midimon is allowed it by what is kept, and at once.
	next := New(p.bus, p.token, p.path)
	next.wait = p.wait
	if !next.Granted() {
		t.Error("what is kept is no permission")
	}
	d.start <- 0
	do(next.Key(ctx, 30, true), next.MoveTo(ctx, 5, 6))
	d.wants("CreateSession", `SelectDevices 3 2 "permission 2"`, "SelectSources 1 true", "Start", "NotifyKeyboardKeycode[30 1]", "NotifyPointerMotionAbsolute[41 5 6]")
}

// Who shares no screen still has the keys pressed.
func TestScreensRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		refuse func(d *desktop)
		calls  []string
	}{
		{"the user says no", func(d *desktop) { d.start <- 1 }, []string{"SelectSources 1 true", "Start"}},
		{"the user chooses none", func(d *desktop) { d.none.Store(true); d.start <- 0 }, []string{"SelectSources 1 true", "Start", "NotifyKeyboardKeycode[30 0]"}},
		{"there is no such part", func(d *desktop) { d.blind.Store(true) }, []string{"SelectSources"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := newDesktop(t, 2)
			d.start <- 0
			if err := p.Key(t.Context(), 30, true); err != nil {
				t.Fatal(err)
			}
			d.wants("CreateSession", `SelectDevices 3 2 ""`, "Start", "NotifyKeyboardKeycode[30 1]")
			c.refuse(d)
			for range 2 {
				if err := p.MoveTo(t.Context(), 1, 1); !errors.Is(err, errNoScreens) {
					t.Fatal(err)
				}
			}
			d.wants(append([]string{"CreateSession", `SelectDevices 3 2 ""`}, c.calls...)...)
			if err := errors.Join(p.Key(t.Context(), 31, true), p.MoveBy(t.Context(), 1, 1)); err != nil {
				t.Fatal(err)
			}
			d.wants("NotifyKeyboardKeycode[31 1]", "NotifyPointerMotion[1 1]")
		})
	}
}

// Refused together with all the rest, nothing is asked for again.
func TestPlaceRefusedFirst(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.start <- 1
	if err := p.MoveTo(t.Context(), 1, 1); !errors.Is(err, ErrRefused) {
		t.Fatal(err)
	}
	if err := p.Key(t.Context(), 30, true); !errors.Is(err, ErrRefused) {
		t.Fatal(err)
	}
	d.wants("CreateSession", `SelectDevices 3 2 ""`, "SelectSources 1 true", "Start")
}

// What was shared once may be no more, and keys are pressed all the same.
func TestKeysWithoutTheScreensOfBefore(t *testing.T) {
	d, p := newDesktop(t, 2)
	d.blind.Store(true)
	if err := keep(p.token+withScreens, "old"); err != nil {
		t.Fatal(err)
	}
	d.start <- 0
	if err := p.Key(t.Context(), 30, true); err != nil {
		t.Fatal(err)
	}
	d.wants("CreateSession", `SelectDevices 3 2 "old"`, "SelectSources", "CreateSession", `SelectDevices 3 2 ""`, "Start", "NotifyKeyboardKeycode[30 1]")
	if fi, err := os.Stat(p.token); err != nil || fi.Mode() != 0o600 {
		t.Errorf("the permission is kept as %v, %v", fi, err)
	}
}

func TestScreensOf(t *testing.T) {
	one := []any{uint32(7), options{"position": dbus.MakeVariant([]any{int32(3), int32(4)}), "size": dbus.MakeVariant([]any{int32(10), int32(20)})}}
	for _, c := range []struct {
		streams any
		want    []screen
	}{
		{nil, nil},
		{"x", nil},
		{[][]any{{}, {uint32(1)}, {"x", options{}}, {uint32(1), "x"}, one}, []screen{{7, 3, 4, 10, 20}}},
		{[][]any{{uint32(9), options{"position": dbus.MakeVariant([]any{int32(3)}), "size": dbus.MakeVariant("x")}}}, []screen{{stream: 9}}},
	} {
		got := screensOf(c.streams)
		if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%v: %+v, want %+v", c.streams, got, c.want)
		}
	}
}
