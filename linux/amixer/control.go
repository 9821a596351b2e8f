//go:build linux

package amixer

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// control is a simple mixer control of a card.
type control struct {
	id       string // 'Master',0
	name     string
	playback side
	capture  side
}

// side is the playback or the capture of a control.
type side struct {
	levels  []float64 // of its channels, in percent; none: it has no volume
	on, off bool      // it has a switch, and that is on for a channel, or off
}

// The channels of a control, by alsa-lib, and one more for names that are not known.
const maxChannels = 33

// parse reads what "amixer scontents" prints.
func parse(r io.Reader) ([]control, error) {
	var out []control
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if id, ok := strings.CutPrefix(line, "Simple mixer control "); ok {
			name, _, ok := strings.Cut(strings.TrimPrefix(id, "'"), "'")
			if !ok || !strings.HasPrefix(id, "'") {
				return nil, fmt.Errorf("cannot read amixer's %q", line)
			}
			out = append(out, control{id: id, name: name})
			continue
		}
		if len(out) > 0 {
			out[len(out)-1].channel(line)
		}
	}
	return out, lines.Err()
}

// channel takes a line about a channel: "  Front Left: Playback 57 [66%] [-30.00dB] [on]".
// What is playback and capture at once is not named, or both are on one line.
func (c *control) channel(line string) {
	name, values, ok := strings.Cut(line, ": ")
	if !ok || !strings.HasPrefix(name, "  ") {
		return
	}
	switch strings.TrimSpace(name) {
	case "Capabilities", "Playback channels", "Capture channels", "Capture exclusive group", "Limits", "Items", "Item0":
		return
	}
	before, after, both := strings.Cut(values, "Capture")
	if !both {
		c.playback.take(values)
		if !strings.Contains(values, "Playback") {
			c.capture.take(values) // common to both
		}
		return
	}
	if strings.Contains(before, "Playback") {
		c.playback.take(before)
	} else if strings.Contains(before, "[") { // a common volume before a switch of capture's own
		c.playback.take(before)
		c.capture.take(before)
	}
	c.capture.take(after)
}

// take reads the values in brackets.
func (s *side) take(values string) {
	for part := range strings.SplitSeq(values, "[") {
		word, _, ok := strings.Cut(part, "]")
		if !ok {
			continue
		}
		switch number, isPercent := strings.CutSuffix(word, "%"); {
		case word == "on":
			s.on = true
		case word == "off":
			s.off = true
		case isPercent && len(s.levels) < maxChannels:
			if n, err := strconv.Atoi(number); err == nil && n >= 0 && n <= 100 {
				s.levels = append(s.levels, float64(n))
			}
		}
	}
}

// The controls that stand for all that is heard, and for the microphone, best first.
var (
	outputs = []string{"Master", "PCM", "Speaker", "Headphone", "Front", "Digital"}
	inputs  = []string{"Capture", "Mic", "Digital", "Line"}
)

// choose finds the control of that name, or the one that stands for all.
func choose(all []control, name string, input bool) (*control, error) {
	has := func(c *control) bool { return len(c.side(input).levels) > 0 || c.side(input).on || c.side(input).off }
	if name != "" {
		i := slices.IndexFunc(all, func(c control) bool { return strings.EqualFold(c.name, name) && has(&c) })
		if i < 0 {
			return nil, fmt.Errorf("ALSA's mixer has no %q; it has %s", name, names(all, has))
		}
		return &all[i], nil
	}
	best := outputs
	if input {
		best = inputs
	}
	for _, name := range best {
		if i := slices.IndexFunc(all, func(c control) bool { return c.name == name && len(c.side(input).levels) > 0 }); i >= 0 {
			return &all[i], nil
		}
	}
	if i := slices.IndexFunc(all, func(c control) bool { return len(c.side(input).levels) > 0 }); i >= 0 {
		return &all[i], nil
	}
	return nil, fmt.Errorf("ALSA's mixer has no volume; it has %s", names(all, func(*control) bool { return true }))
}

func (c *control) side(input bool) *side {
	if input {
		return &c.capture
	}
	return &c.playback
}

func names(all []control, fits func(*control) bool) string {
	var out []string
	for i := range all {
		if fits(&all[i]) {
			out = append(out, all[i].name)
		}
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
