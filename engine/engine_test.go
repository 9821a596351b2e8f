package engine_test

import (
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

func TestPerformances(t *testing.T) {
	const tap = "desk note 36 key:29+20"
	tests := []struct{ name, program, script, want string }{
		{
			"tap is released 20 ms later in reverse", tap, "0 on 36;100 off 36",
			"0 m0 Keystroke;0 down 29 20;20 up 20 29",
		},
		{
			"tap outlasts a quicker release", tap, "0 on 36;1 off 36;30 advance",
			"0 m0 Keystroke;0 down 29 20;20 up 20 29",
		},
		{
			"hold lasts as long as the pad", "desk note 36 hold:29", "0 on 36;900 off 36",
			"0 m0 Keystroke;0 down 29;900 up 29 (mapping)",
		},
		{
			"velocity ranges", "desk note 36 1-79 key:1\ndesk note 36 80-127 key:2", "0 on 36 79;100 off 36;200 on 36 80;300 off 36",
			"0 m0 Keystroke;0 down 1;20 up 1;200 m1 Keystroke;200 down 2;220 up 2",
		},
		{"velocity 0 is a release", "desk note 36 hold:1", "0 on 36;50 on 36 0", "0 m0 Keystroke;0 down 1;50 up 1 (mapping)"},
		{
			"a second press without release", "desk note 36 hold:1", "0 on 36;50 on 36;90 off 36",
			"0 m0 Keystroke;0 down 1;50 up 1 (mapping);50 m0 Keystroke;50 down 1;90 up 1 (mapping)",
		},
		{"channel", "desk note 36 ch2 sh:a", "0 on 36 100 1;5 on 36 100 2", "5 m0 Shell"},
		{
			"the mode's mapping comes before a global one", "desk note 36 80-127 sh:a\n* note 36 sh:b", "0 on 36 100;10 off 36;20 on 36 10;30 off 36",
			"0 m0 Shell;20 m1 Shell",
		},
		{
			"device", "devices A B\ndesk note 36 dev1 sh:b\ndesk note 36 dev0 sh:a", "0 attach 1 1;0 attach 2 -1;0 on 36;1 on 36 100 0 1;2 on 36 100 0 2;3 on 36 100 0 7",
			"0 m1 Shell;1 m0 Shell",
		},
		{"any device", "devices A B\ndesk note 36 sh:b", "0 attach 1 1;0 attach 2 -1;0 on 36;1 on 36 100 0 1;2 on 36 100 0 2", "0 m0 Shell;1 m0 Shell;2 m0 Shell"},
		{"disabled", "desk note 36 off sh:a\ndesk note 36 sh:b", "0 on 36", "0 m1 Shell"},

		{"long press while held", "desk long 36 sh:h", "0 on 36;499 advance;500 advance;900 off 36", "500 m0 Shell"},
		{"no long press of a short one", "desk long 36 sh:h", "0 on 36;499 off 36;900 advance", ""},
		{
			"tap with hold: released before", "desk note 36 key:1\ndesk long 36 sh:h", "0 on 36;499 off 36;600 advance",
			"499 m0 Keystroke;499 down 1;519 up 1",
		},
		{"tap with hold: at the boundary the deadline wins", "desk note 36 key:1\ndesk long 36 sh:h", "0 on 36;500 off 36;600 advance", "500 m1 Shell"},
		{"hold keeps its key until release", "desk long 36 hold:5", "0 on 36;800 off 36", "500 m0 Keystroke;500 down 5;800 up 5 (mapping)"},
		{
			"tap at release cannot be held", "desk note 36 hold:1\ndesk long 36 sh:h", "0 on 36;100 off 36;300 advance",
			"100 m0 Keystroke;100 down 1;120 up 1",
		},
		{"mode tap and global hold combine", "desk note 36 sh:t\n* long 36 sh:h", "0 on 36;100 off 36;1000 on 36;1600 off 36", "100 m0 Shell;1500 m1 Shell"},
		{
			"eager acts at the press, outside the gestures", "desk note 36 eager sh:e\ndesk note 36 sh:t\ndesk long 36 sh:h", "0 on 36;100 off 36",
			"0 m0 Shell;100 m1 Shell",
		},

		{"cc as a button", "desk cc 64 hold:1", "0 cc 64 0;10 cc 64 127;20 cc 64 90;30 cc 64 0", "10 m0 Keystroke;10 down 1;30 up 1 (mapping)"},
		{"cc as a button, first value", "desk cc 64 hold:1", "10 cc 64 1;30 cc 64 0", "10 m0 Keystroke;10 down 1;30 up 1 (mapping)"},
		{
			"cc enters a range once", "desk cc 7 100-127 sh:a", "0 cc 7 99;1 cc 7 100;2 cc 7 110;3 cc 7 98;4 cc 7 100;5 cc 7 97;6 cc 7 100",
			"1 m0 Shell;6 m0 Shell",
		},
		{"cc range re-arms above too", "desk cc 7 10-20 sh:a", "0 cc 7 15;1 cc 7 22;2 cc 7 15;3 cc 7 23;4 cc 7 15", "0 m0 Shell;4 m0 Shell"},
		{
			"first of two ranges entered at once", "desk cc 7 120-127 sh:a\ndesk cc 7 100-127 sh:b", "0 cc 7 0;1 cc 7 125;2 cc 7 110;3 cc 7 0;4 cc 7 110",
			"1 m0 Shell;4 m1 Shell",
		},
		{
			"a range stood in is not entered by a mode change", "desk cc 7 100-127 sh:a\nother cc 7 90-127 sh:b", "0 cc 7 110;1 mode 1;2 cc 7 111;3 cc 7 0;4 cc 7 95",
			"0 m0 Shell;1 mode desk>other (caller);4 m1 Shell",
		},
		{"disabled range", "desk cc 7 off 100-127 sh:a", "0 cc 7 110", ""},

		{
			"absolute encoder", "desk enc 1 cw key:1\ndesk enc 1 ccw key:2", "0 cc 1 60;100 cc 1 61;200 cc 1 50;300 cc 1 50;400 cc 1 127;500 cc 1 127;600 cc 1 0;700 cc 1 0",
			`100 m0 Keystroke;100 down 1;120 up 1
			 200 m1 Keystroke;200 down 2;220 up 2
			 400 m0 Keystroke;400 down 1;420 up 1
			 500 m0 Keystroke;500 down 1;520 up 1
			 600 m1 Keystroke;600 down 2;620 up 2
			 700 m1 Keystroke;700 down 2`,
		},
		{"two's complement", "desk enc 1 cw twos sh:+\ndesk enc 1 ccw twos sh:-", "0 cc 1 1;1 cc 1 127;2 cc 1 0;3 cc 1 64", "0 m0 Shell;1 m1 Shell;3 m1 Shell"},
		{"binary offset", "desk enc 1 cw offset sh:+\ndesk enc 1 ccw offset sh:-", "0 cc 1 65;1 cc 1 63;2 cc 1 64", "0 m0 Shell;1 m1 Shell"},
		{"signed bit", "desk enc 1 cw sign sh:+\ndesk enc 1 ccw sign sh:-", "0 cc 1 1;1 cc 1 65;2 cc 1 64;3 cc 1 0", "0 m0 Shell;1 m1 Shell"},
		{"either way", "desk enc 1 twos sh:a", "0 cc 1 1;1 cc 1 127", "0 m0 Shell;1 m0 Shell"},
		{"an encoder's cc mappings are shadowed, a global encoder's too", "desk cc 1 sh:cc\n* enc 1 twos sh:e", "0 cc 1 1", "0 m1 Shell"},
		{"an encoder on another channel shadows nothing", "desk cc 1 sh:cc\n* enc 1 ch5 twos sh:e", "0 cc 1 1", "0 m0 Shell"},

		{
			"mode change", "desk note 1 mode:live\ndesk note 2 sh:d\nlive note 2 sh:l", "0 on 2;1 off 2;2 on 1;3 off 1;4 on 2",
			"0 m1 Shell;2 m0 ModeChange;2 mode desk>live (mapping);4 m2 Shell",
		},
		{"mode change to the same mode is silent", "desk note 1 mode:desk", "0 on 1", "0 m0 ModeChange"},
		{"mode change to a mode that is gone", "desk note 1 mode:gone", "0 on 1", "0 m0 ModeChange"},
		{
			"a press keeps its mapping through a mode change", "desk note 36 hold:1\nlive note 36 hold:2", "0 on 36;5 mode 1;10 off 36",
			"0 m0 Keystroke;0 down 1;5 mode desk>live (caller);10 up 1 (mapping)",
		},
		{"a hold decided in the old mode", "desk long 36 sh:old\nlive long 36 sh:new", "0 on 36;5 mode 1;600 off 36", "5 mode desk>live (caller);500 m0 Shell"},

		{
			"sequence", "desk note 1 [key:29+46,wait:100,key:29+47,sh:x]", "0 on 1;1 off 1;500 advance",
			`0 m0 Sequence
			 0 m0.1 Keystroke;0 down 29 46;20 up 46 29
			 20 m0.2 Delay
			 120 m0.3 Keystroke;120 down 29 47;140 up 47 29
			 140 m0.4 Shell`,
		},
		{
			"a sequence waits for its tap, though that ended another's", "desk note 1 key:29\ndesk note 2 [key:29+46,wait:50,sh:x]",
			"0 on 1;5 on 2;900 advance",
			"0 m0 Keystroke;0 down 29;5 m1 Sequence;5 m1.1 Keystroke;5 up 29;5 down 29 46;25 up 46 29;25 m1.2 Delay;75 m1.3 Shell",
		},
		{"sequences in sequences", "desk note 1 [[sh:a,[sh:b]],sh:c,[]]", "0 on 1", "0 m0 Sequence;0 m0.1 Shell;0 m0.2 Shell;0 m0.3 Shell"},
		{
			"a held key in a sequence lasts as long as the pad", "desk note 1 [hold:1,sh:a]", "0 on 1;100 off 1",
			"0 m0 Sequence;0 m0.1 Keystroke;0 down 1;0 m0.2 Shell;100 up 1 (mapping)",
		},
		{"delay alone", "desk note 1 wait:50", "0 on 1", "0 m0 Delay"},
		{
			"a tap that needs a key of a tap in flight ends that first", "desk note 1 key:29+46\ndesk note 2 key:29+47", "0 on 1;5 on 2;50 advance",
			"0 m0 Keystroke;0 down 29 46;5 m1 Keystroke;5 up 46 29;5 down 29 47;25 up 47 29",
		},
		{
			"a sequence goes on when its tap ends early", "desk note 1 [key:29+46,sh:x]\ndesk note 2 key:29", "0 on 1;5 on 2;50 advance",
			"0 m0 Sequence;0 m0.1 Keystroke;0 down 29 46;5 m1 Keystroke;5 up 46 29;5 down 29;5 m0.2 Shell;25 up 29",
		},
		{
			"a shared key goes up with the last that holds it", "desk note 1 hold:29\ndesk note 2 hold:29+2", "0 on 1;1 on 2;2 off 1;3 off 2",
			"0 m0 Keystroke;0 down 29;1 m1 Keystroke;1 down 2;2 up (mapping);3 up 2 29 (mapping)",
		},

		{
			"shell at most five a second", "desk note 1 sh:x", "0 on 1;1 on 1;2 on 1;3 on 1;4 on 1;5 on 1;999 on 1;1000 on 1;1000 on 1;1001 on 1",
			"0 m0 Shell;1 m0 Shell;2 m0 Shell;3 m0 Shell;4 m0 Shell;5 m0 refused (rate);999 m0 refused (rate);1000 m0 Shell;1000 m0 refused (rate);1001 m0 Shell",
		},
		{"held too long", "desk note 1 hold:29", "0 on 1;29999 advance;30000 advance;40000 off 1", "0 m0 Keystroke;0 down 29;30000 up 29 (held-too-long)"},

		{"port lost", "desk note 1 hold:29\ndesk long 2 sh:x", "0 on 1;1 on 2;10 lost;20 off 1;600 advance;700 attach 0 0;700 on 1", "0 m0 Keystroke;0 down 29;10 up 29 (port-lost);700 m0 Keystroke;700 down 29"},
		{"overrun lets go and goes on", "desk note 1 hold:29", "0 on 1;10 overrun;20 off 1;30 on 1", "0 m0 Keystroke;0 down 29;10 up 29 (port-lost);30 m0 Keystroke;30 down 29"},
		{"another port keeps its keys", "desk note 1 hold:29", "0 attach 1 0;0 on 1 100 0 1;10 lost;20 off 1 0 0 1", "0 m0 Keystroke;0 down 29;20 up 29 (mapping)"},
		{
			"release", "desk note 1 hold:29\ndesk note 2 [wait:50,sh:x]\ndesk note 3 key:1\ndesk long 3 sh:h", "0 on 1;0 on 2;0 on 3;10 release;20 off 1;30 off 3;900 advance",
			"0 m0 Keystroke;0 down 29;0 m1 Sequence;0 m1.1 Delay;10 up 29 (panic)",
		},
		{
			"pause lets go, refuses, and makes nothing up", "desk note 1 hold:29\ndesk note 2 [wait:50,sh:x,wait:50,sh:y]", "0 on 1;0 on 2;10 pause;20 off 1;30 on 1;40 off 1;70 resume;200 on 1",
			"0 m0 Keystroke;0 down 29;0 m1 Sequence;0 m1.1 Delay;10 up 29 (paused);30 m0 refused (paused);50 m1.2 refused (paused);50 m1.3 Delay;100 m1.4 Shell;200 m0 Keystroke;200 down 29",
		},
		{"a paused sequence does not begin", "desk note 2 [sh:x]", "0 pause;1 on 2", "1 m0 refused (paused)"},
		{"locked, but for what may", "desk note 1 locked sh:a\ndesk note 2 sh:b", "0 lock;1 on 1;2 on 2;3 unlock;4 on 2", "1 m0 Shell;2 m1 refused (locked);4 m1 Shell"},
		{
			"sink lost: nothing to release", "desk note 1 hold:29\ndesk note 2 [key:1,sh:x]", "0 on 1;0 on 2;10 sinklost;15 advance;20 off 1;30 on 1",
			"0 m0 Keystroke;0 down 29;0 m1 Sequence;0 m1.1 Keystroke;0 down 1;10 m1.2 Shell;30 m0 Keystroke;30 down 29",
		},
		{"a refused press has no release", "desk note 1 hold:29\ndesk note 2 [key:30,sh:x]", "0 refuse 1;10 off 1;20 refuse 2;21 advance;30 on 1", "0 m0 Keystroke;20 m1 Sequence;20 m1.1 Keystroke;20 m1.2 Shell;30 m0 Keystroke;30 down 29"},
		{"time does not run back", "desk long 1 sh:a", "1000 on 1;10 on 9;1500 advance", "1500 m0 Shell"},
		{"other messages do nothing", "desk note 1 sh:a", "0 bend 0 100", ""},
		{"unknown mode index", "desk note 1 sh:a", "0 mode 7", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got, want := play(t, program(t, tc.program), tc.script), lines(tc.want); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func TestWhereItStands(t *testing.T) {
	p := program(t, "desk note 1 hold:29+30\nlive")
	e := engine.New(p)
	e.Attach(0, engine.Any)
	out := e.Step(&engine.Input{Message: engine.Message{Kind: engine.NoteOn, Number: 1, Value: 1}}, nil)
	if e.Held() != 2 || e.Program() != p || len(out) != 2 {
		t.Errorf("held %d, effects %v", e.Held(), out)
	}
	e.SetMode(1, effect.ByCaller, 0, nil)
	if e.Mode() != 1 || e.BaseMode() != 1 {
		t.Errorf("mode %d, base %d", e.Mode(), e.BaseMode())
	}
	for typ, want := range map[engine.TriggerType]string{engine.Note: "Note", engine.Bend: "PitchBend", engine.SysExclusive: "SysEx"} {
		if got := typ.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSwap(t *testing.T) {
	a := "one note 1 hold:29\none long 2 sh:old\none cc 7 100-127 sh:c\ntwo note 1 hold:30"
	b := "two note 1 hold:31\ntwo cc 7 90-127 sh:d\nthree"
	c := "one note 1 hold:32"
	tests := []struct{ name, script, want string }{
		{
			"a press keeps its mapping", "0 on 1;5 swap 0;10 off 1;20 attach 0 0;20 on 1",
			"0 m0 Keystroke;0 down 29;5 mode one>two (reload);10 up 29 (mapping);20 m0 Keystroke;20 down 31",
		},
		{"a pending hold too", "0 on 2;5 swap 0;600 off 2", "5 mode one>two (reload);500 m1 Shell"},
		{"the mode is kept by name", "0 mode 1;5 swap 0;6 attach 0 0;10 on 1", "0 mode one>two (caller);10 m0 Keystroke;10 down 31"},
		{"a range stood in is not entered", "0 cc 7 110;5 swap 0;6 attach 0 0;10 cc 7 111;11 cc 7 0;12 cc 7 90", "0 m2 Shell;5 mode one>two (reload);12 m1 Shell"},
		{"back again", "0 on 1;5 swap 0;6 swap 1;7 off 1", "0 m0 Keystroke;0 down 29;5 mode one>two (reload);6 mode two>one (reload);7 up 29 (mapping)"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got, want := play(t, program(t, a), tc.script, program(t, b), program(t, c)), lines(tc.want); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}
