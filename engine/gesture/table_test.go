package gesture_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/gesture"
)

// The windows of the table. C < W < T, as where nobody sets them otherwise.
const (
	chord  = 50 * time.Millisecond
	window = 300 * time.Millisecond
	hold   = 500 * time.Millisecond
)

// row is a row of the table: what a control may be, and when each of that happens.
type row struct {
	may                            []string
	tap, hold, taps, chord, latest string
}

// table reads the table of the package's documentation.
func table(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	cells := regexp.MustCompile(`\s{2,}`)
	var rows []row
	for line := range strings.Lines(string(text)) {
		line, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		if !ok || strings.HasPrefix(line, "it may be") || !strings.Contains(line, "  ") {
			continue
		}
		c := cells.Split(line, -1)
		if strings.HasPrefix(line, "chords AB") {
			continue // of several controls: a script's
		}
		if len(c) != 6 {
			if len(rows) > 0 {
				break // behind the table
			}
			t.Fatalf("%d cells in %q", len(c), line)
		}
		may := strings.Split(c[0], ", ")
		if may[len(may)-1] != "any" {
			rows = append(rows, row{may, c[1], c[2], c[3], c[4], c[5]})
			continue
		}
		// With any of the two before it, or both.
		n := len(may) - 3
		for _, some := range [][]string{{may[n]}, {may[n+1]}, {may[n], may[n+1]}} {
			r := row{slices.Concat(may[:n], some), c[1], c[2], c[3], c[4], c[5]}
			if !slices.Contains(some, "hold") {
				r.hold = "-"
			}
			if !slices.Contains(some, "taps") {
				r.taps = "-"
			}
			rows = append(rows, r)
		}
	}
	for i := range rows { // "as …" another row
		if other, ok := strings.CutPrefix(rows[i].tap, "as "); ok {
			j := slices.IndexFunc(rows, func(r row) bool { return strings.Join(r.may, ", ") == other })
			rows[i].tap = rows[j].tap
		}
	}
	return rows
}

// wants is what a press of that length alone comes to: what, and when.
func (r *row) wants(t *testing.T, length time.Duration) (what string, at time.Duration) {
	t.Helper()
	switch r.hold {
	case "press+T":
		if length >= hold {
			return "hold", hold
		}
	case "-":
	default:
		t.Fatalf("hold %q", r.hold)
	}
	switch r.tap {
	case "-":
		return "", 0
	case "press":
		return "tap", 0
	case "release before T":
		return "tap", length
	case "press+W", "press+W, held or not":
		return "tap", window
	case "release in [W,T), else press+W":
		return "tap", max(length, window)
	case "press+C, or release if earlier":
		return "tap", min(length, chord)
	}
	t.Fatalf("tap %q", r.tap)
	return "", 0
}

// bound is the last column: how long a tap of that length waits at most.
func (r *row) bound(t *testing.T, length time.Duration) time.Duration {
	t.Helper()
	switch r.latest {
	case "0", "-":
		return 0
	case "its length, < T":
		return min(length, hold)
	case "W":
		return window
	case "max(W, its length)":
		return max(window, length)
	case "min(C, its length)":
		return min(chord, length)
	}
	t.Fatalf("the tap waits %q", r.latest)
	return 0
}

func (r *row) button() *gesture.Button {
	b := &gesture.Button{}
	for _, word := range r.may {
		switch word {
		case "hold":
			b.Holds = []time.Duration{hold}
		case "taps":
			b.Taps, b.Windows[2] = 1<<2, window
		case "chord":
			b.Chord = chord
		}
	}
	return b
}

// player plays a button and notes what comes of it.
type player struct {
	*gesture.Button
	tap bool // a tap means something
	got []string
}

func (p *player) take(at time.Duration) {
	for o := p.Next(); o.Kind != gesture.None; o = p.Next() {
		switch o.Kind {
		case gesture.Tap:
			if p.tap {
				p.got = append(p.got, fmt.Sprint("tap ", at))
			}
		case gesture.Hold:
			p.got = append(p.got, fmt.Sprint("hold ", at))
		case gesture.Taps:
			p.got = append(p.got, fmt.Sprint("taps ", at))
		case gesture.None:
		}
	}
}

// until settles the deadlines up to an instant.
func (p *player) until(at time.Duration) {
	for due := p.Due(); due <= at; due = p.Due() {
		p.Expire(due)
		p.take(due)
	}
}

func (p *player) press(at time.Duration) {
	p.until(at)
	p.Press(at)
	p.Decide(at)
	p.take(at)
}

func (p *player) release(at time.Duration) {
	p.until(at)
	p.Release(at)
	p.take(at)
}

// TestTable plays every row of the table, with presses that end around every boundary.
func TestTable(t *testing.T) {
	rows := table(t)
	if len(rows) != 15 {
		t.Fatalf("%d rows", len(rows))
	}
	var lengths []time.Duration
	for _, edge := range []time.Duration{chord, window, hold} {
		lengths = append(lengths, edge-1, edge, edge+1)
	}
	lengths = append(lengths, 0, 1, time.Hour)
	for _, r := range rows {
		name := strings.Join(r.may, ", ")
		tap := slices.Contains(r.may, "tap")
		if tap != (r.tap != "-") || slices.Contains(r.may, "hold") != (r.hold != "-") || slices.Contains(r.may, "taps") != (r.taps == "nth press") ||
			slices.Contains(r.may, "chord") != (r.chord == "last press") {
			t.Errorf("%s: the row says %+v", name, r)
		}
		for _, length := range lengths {
			p := player{Button: r.button(), tap: tap}
			p.press(0)
			p.release(length)
			p.until(2 * time.Hour)
			want := ""
			if what, at := r.wants(t, length); what != "" {
				want = fmt.Sprint(what, " ", at)
				if what == "tap" && at > r.bound(t, length) {
					t.Errorf("%s, %v: the tap waits %v, more than %q", name, length, at, r.latest)
				}
			}
			if got := strings.Join(p.got, ", "); got != want {
				t.Errorf("%s, %v: got %q, want %q", name, length, got, want)
			}
			if !p.Idle() || p.Due() != gesture.Never {
				t.Errorf("%s, %v: it does not come to rest", name, length)
			}
		}
		// Twice, the second press within the window of the first or at its end.
		for _, second := range []time.Duration{window - 1, window} {
			p := player{Button: r.button(), tap: tap}
			p.press(0)
			p.release(10)
			p.press(second)
			p.release(second + 10)
			p.until(time.Hour)
			var want []string
			if r.taps == "nth press" && second < window {
				want = append(want, fmt.Sprint("taps ", second))
			} else if what, at := r.wants(t, 10); what != "" {
				want = append(want, fmt.Sprint(what, " ", at), fmt.Sprint(what, " ", second+at))
			}
			if !slices.Equal(p.got, want) {
				t.Errorf("%s, twice, after %v: got %q, want %q", name, second, p.got, want)
			}
		}
		// A chord has room until C or the release, and whoever is part of it is nothing else.
		p := player{Button: r.button(), tap: tap}
		p.press(0)
		p.until(chord - 1)
		if p.Open() != (r.chord == "last press") {
			t.Errorf("%s: open for a chord: %v", name, p.Open())
		}
		if p.Open() {
			p.Spend()
			p.release(hold + 1)
			p.until(time.Hour)
			if len(p.got) > 0 || p.Open() {
				t.Errorf("%s: as part of a chord also %q", name, p.got)
			}
		}
	}
}
