package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
)

// moment is one message of a performance.
type moment struct {
	at      time.Duration
	message engine.Message
	said    string // what the player does; empty where that goes without saying
}

// parsePerformance reads lines of milliseconds, message and words: "500 on 36 112 hits it".
func parsePerformance(text string) ([]moment, error) {
	var out []moment
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		m, err := parseMoment(f)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if len(out) > 0 && m.at < out[len(out)-1].at {
			return nil, fmt.Errorf("line %d: time runs back", i+1)
		}
		out = append(out, m)
	}
	return out, nil
}

func parseMoment(f []string) (moment, error) {
	kinds := map[string]struct {
		kind    engine.Kind
		numbers int
	}{"on": {engine.NoteOn, 2}, "off": {engine.NoteOff, 1}, "cc": {engine.ControlChange, 2}}
	if len(f) < 3 {
		return moment{}, fmt.Errorf("%q is no moment", strings.Join(f, " "))
	}
	k, known := kinds[f[1]]
	if !known || len(f) < 2+k.numbers {
		return moment{}, fmt.Errorf("%q is no message", strings.Join(f[1:], " "))
	}
	ms, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return moment{}, fmt.Errorf("%q are no milliseconds", f[0])
	}
	var data [2]uint8
	for i := range k.numbers {
		n, err := strconv.ParseUint(f[2+i], 10, 7)
		if err != nil {
			return moment{}, fmt.Errorf("%q is not 0-127", f[2+i])
		}
		data[i] = uint8(n)
	}
	return moment{
		at:      time.Duration(ms) * time.Millisecond,
		message: engine.Message{Kind: k.kind, Number: data[0], Value: uint16(data[1])},
		said:    strings.Join(f[2+k.numbers:], " "),
	}, nil
}
