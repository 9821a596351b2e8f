package engine_test

import (
	"testing"
)

// TestGestureTable is the table of package gesture, on pads 1 (what stands before the colon),
// 2 (a tap, and a member of the chords that 1 has) and 3 (likewise of chord 1+2+3).
func TestGestureTable(t *testing.T) {
	for _, c := range [][3]string{
		{"t", "0 on 1;80 off 1", "0 tap"},
		{"h", "0 on 1;80 off 1", ""},
		{"h", "0 on 1;800 off 1", "500 hold"},
		{"d", "0 on 1;50 off 1;150 on 1;200 off 1", "150 double"},
		{"t h", "0 on 1;80 off 1", "80 tap"},
		{"t h", "0 on 1;499 off 1", "499 tap"},
		{"t h", "0 on 1;500 off 1", "500 hold"},
		{"t d", "0 on 1;80 off 1", "200 tap"},
		{"t d", "0 on 1;900 off 1", "200 tap"},
		{"t d", "0 on 1;50 off 1;199 on 1;250 off 1", "199 double"},
		{"t d", "0 on 1;50 off 1;200 on 1;250 off 1", "200 tap;400 tap"},
		{"t d", "0 on 1;50 off 1;90 on 1;120 off 1;150 on 1;180 off 1", "90 double;350 tap"},
		{"t d", "0 on 1;50 off 1;100 on 2;150 off 2", "100 tap;100 tap2"},
		{"t h d", "0 on 1;80 off 1", "200 tap"},
		{"t h d", "0 on 1;300 off 1", "300 tap"},
		{"t h d", "0 on 1;900 off 1", "500 hold"},
		{"t h d", "0 on 1;50 off 1;120 on 1;900 off 1", "120 double"},
		{"h d", "0 on 1;80 off 1", ""},
		{"h d", "0 on 1;900 off 1", "500 hold"},
		{"e h", "0 on 1;900 off 1", "0 eager;500 hold"},
		{"c", "0 on 1;30 on 2;100 off 1;100 off 2", "30 chord"},
		{"c", "0 on 1;100 off 1", ""},
		{"c t", "0 on 1;100 off 1", "50 tap"},
		{"c t", "0 on 1;20 off 1", "20 tap"},
		{"c t", "0 on 1;49 on 2;100 off 1;100 off 2", "49 chord"},
		{"c t", "0 on 1;50 on 2;100 off 1;120 off 2", "50 tap;100 tap2"},
		{"c t h", "0 on 1;100 off 1", "100 tap"},
		{"c t h", "0 on 1;900 off 1", "500 hold"},
		{"c t h", "0 on 1;10 on 2;900 off 1;900 off 2", "10 chord"},
		{"c t d", "0 on 1;80 off 1", "200 tap"},
		{"c t d", "0 on 1;30 off 1;100 on 1;110 on 2;200 off 1;200 off 2", "100 double;160 tap2"},
		{"c t d", "0 on 1;30 off 1;95 on 2;100 on 1;200 off 1;200 off 2", "95 tap;100 chord"},
		{"c h", "0 on 1;900 off 1", "500 hold"},
		{"c d", "0 on 1;30 off 1;100 on 1;150 off 1", "100 double"},
		{"c t h d", "0 on 1;80 off 1", "200 tap"},
		{"c t h d", "0 on 1;300 off 1", "300 tap"},
		{"c t h d", "0 on 1;900 off 1", "500 hold"},
		{"c t h d", "0 on 1;20 on 2;900 off 1;900 off 2", "20 chord"},
		{"c t h d", "0 on 1;30 off 1;120 on 1;900 off 1", "120 double"},
		{"t d", "0 on 1;60 on 1;90 off 1", "60 double"},
		{"C c t", "0 on 1;10 on 2;100 off 1;100 off 2", "50 chord"},
		{"C c t", "0 on 1;10 on 2;30 off 1;100 off 2", "30 chord"},
		{"C c t", "0 on 1;10 on 2;20 on 3;100 off 1;100 off 2;100 off 3", "20 larger"},
		{"C c t", "0 on 3;10 on 2;20 on 1;100 off 1;100 off 2;100 off 3", "20 larger"},
		{"t x", "0 on 1;50 off 1;100 on 1;150 off 1", "300 tap;300 tap"},
		{"t x", "0 on 1;50 off 1;100 on 1;150 off 1;200 on 1", "200 triple"},
		{"t d x", "0 on 1;50 off 1;100 on 1;150 off 1", "300 double"},
		{"t d x", "0 on 1;50 off 1;100 on 1;150 off 1;299 on 1", "299 triple"},
		{"t h H", "0 on 1;499 off 1", "499 tap"},
		{"t h H", "0 on 1;500 off 1", "500 hold"},
		{"t h H", "0 on 1;999 off 1", "999 hold"},
		{"t h H", "0 on 1;1100 off 1", "1000 longer"},
		{"t u", "0 on 1;80 off 1", "0 tap;80 up"},
		{"t d u", "0 on 1;80 off 1", "80 up;200 tap"},
	} {
		lines := map[byte]string{
			't': "desk note 1 sh:tap", 'h': "desk long 1 sh:hold", 'H': "desk long 1 1000ms sh:longer", 'd': "desk double 1 sh:double",
			'x': "desk triple 1 sh:triple", 'e': "desk note 1 eager sh:eager", 'c': "desk chord 1+2 sh:chord", 'C': "desk chord 1+2+3 sh:larger",
			'u': "desk up 1 sh:up",
		}
		text := "desk note 2 sh:tap2\ndesk note 3 sh:tap3\n"
		for i := 0; i < len(c[0]); i += 2 {
			text += lines[c[0][i]] + "\n"
		}
		if got := said(t, text, c[1]+";9000 advance"); got != c[2] {
			t.Errorf("%-8s %-60s got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
