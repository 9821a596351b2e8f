package gesture_test

import (
	"testing"

	"github.com/amiable-dev/midimon/engine/gesture"
)

func TestButton(t *testing.T) {
	const none, tap, hold = gesture.None, gesture.Tap, gesture.Hold
	tests := []struct {
		name           string
		button         gesture.Button
		press          gesture.Kind
		waits          bool
		early          gesture.Kind // released before the deadline
		expire, at, up gesture.Kind // the deadline, a second one, the release after it
	}{
		{"nothing", gesture.Button{}, none, false, none, none, none, none},
		{"tap", gesture.Button{Tap: true}, tap, false, none, none, none, none},
		{"hold", gesture.Button{Hold: true}, none, true, none, hold, none, none},
		{"tap or hold", gesture.Button{Tap: true, Hold: true}, none, true, tap, hold, none, none},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			expect := func(what string, got, want gesture.Kind) {
				t.Helper()
				if got != want {
					t.Errorf("%s: %v, want %v", what, got, want)
				}
			}
			b := tc.button
			expect("press", b.Press(), tc.press)
			if b.Waits() != tc.waits {
				t.Errorf("waits: %v, want %v", b.Waits(), tc.waits)
			}
			late, cancelled := b, b
			expect("release", b.Release(), tc.early)
			expect("deadline", late.Expire(), tc.expire)
			expect("second deadline", late.Expire(), tc.at)
			expect("late release", late.Release(), tc.up)
			cancelled.Cancel()
			expect("cancelled", cancelled.Expire(), none)
			expect("cancelled release", cancelled.Release(), none)
		})
	}
}
