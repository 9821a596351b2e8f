package main

import (
	"fmt"
	"time"
)

var noteNames = [12]string{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"}

// noteName has C4 = 60.
func noteName(n uint8) string { return fmt.Sprintf("%s%d", noteNames[n%12], int(n/12)-1) }

// nobodys is what no device sent, and yet a mapping acted.
const nobodys = "time, or a caller"

// message is a message of MIDI for people, who count channels from 1.
func message(device, kind string, channel, number uint8, value uint16) string {
	text := printable(device)
	switch {
	case text == "" && kind == "time":
		return nobodys
	case text == "":
		text = "unknown device"
	}
	switch kind {
	case "note-on", "note-off":
		return fmt.Sprintf("%s ch %d %s %s (%d) velocity %d", text, channel+1, kind, noteName(number), number, value)
	case "poly-pressure":
		return fmt.Sprintf("%s ch %d %s %s (%d) %d", text, channel+1, kind, noteName(number), number, value)
	case "control-change":
		return fmt.Sprintf("%s ch %d %s %d value %d", text, channel+1, kind, number, value)
	case "program-change":
		return fmt.Sprintf("%s ch %d %s %d", text, channel+1, kind, number)
	case "pressure", "pitch-bend":
		return fmt.Sprintf("%s ch %d %s %d", text, channel+1, kind, value)
	}
	return text + " " + printable(kind)
}

// brief is a duration in its largest unit.
func brief(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.1f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
