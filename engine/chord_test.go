package engine_test

import "testing"

// TestChordOnTwoPorts: a device may have several ports, and a chord its presses on more than one.
// When one of them is lost, what the chord holds is let go of, and what waits for more is over.
func TestChordOnTwoPorts(t *testing.T) {
	for _, c := range []struct{ name, program, script, want string }{
		{"held", "devices A\ndesk chord 1+2 hold:1", "0 attach 1 0;0 on 1 100 0 1;10 on 2;50 lost;900 off 1 0 0 1", "10 m0 Keystroke;10 down 1;50 up 1 (port-lost)"},
		{"held, the other", "devices A\ndesk chord 1+2 hold:1", "0 attach 1 0;0 on 1;10 on 2 100 0 1;50 lost;900 off 2 0 0 1", "10 m0 Keystroke;10 down 1;50 up 1 (port-lost)"},
		{"repeated", "devices A\ndesk chord 1+2 again:0*sh:a", "0 attach 1 0;0 on 1;10 on 2 100 0 1;25 lost;900 off 2 0 0 1", "10 m0 Repeat;10 m0.1 Shell;20 m0.2 Shell"},
		{"waiting", "devices A\ndesk chord 1+2 sh:c\ndesk chord 1+2+3 sh:d\ndesk note 2 sh:tap", "0 attach 1 0;0 on 1;10 on 2 100 0 1;20 lost;900 off 2 0 0 1", "60 m2 Shell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, want := play(t, program(t, c.program), c.script), lines(c.want); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}
