//go:build linux && vm

package vm

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const sounds = `
[device]
name = "LPD8"
[[global_mappings]]
trigger = { type = "Note", note = 0 }
action = { type = "SendMidi", port = "LPD8", message_type = "NoteOn", channel = 9, note = 60, velocity = 90 }
[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "SendMidi", port = "lpd8", message_type = "NoteOff", channel = 9, note = 60 }
[[global_mappings]]
trigger = { type = "Note", note = 2 }
action = { type = "SendMidi", port = "LPD8", message_type = "CC", controller = 7, value = 64 }
[[global_mappings]]
trigger = { type = "Note", note = 3 }
action = { type = "SendMidi", port = "LPD8", message_type = "ProgramChange", channel = 1, program = 12 }
[[global_mappings]]
trigger = { type = "Note", note = 4 }
action = { type = "SendMidi", port = "LPD8", message_type = "PitchBend", pitch = -8192 }
[[global_mappings]]
trigger = { type = "Note", note = 5 }
action = { type = "SendMidi", port = "LPD8", message_type = "Aftertouch", pressure = 33 }
[[global_mappings]]
trigger = { type = "Note", note = 6 }
action = { type = "SendMidi", port = "LPD8", message_type = "PolyAftertouch", note = 61, pressure = 34 }
[[global_mappings]]
trigger = { type = "Note", note = 7 }
action = { type = "SendMidi", port = "LPD8", message_type = "SysEx", data = "F0 7E 7F 06 01 F7" }
[[global_mappings]]
trigger = { type = "Note", note = 8 }
action = { type = "SendMidi", port = "LPD8", message_type = "Start" }
[[global_mappings]]
trigger = { type = "Note", note = 9 }
action = { type = "SendMidi", port = "LPD8", message_type = "Continue" }
[[global_mappings]]
trigger = { type = "Note", note = 10 }
action = { type = "SendMidi", port = "LPD8", message_type = "Stop" }
[[global_mappings]]
trigger = { type = "Note", note = 11 }
action = { type = "SendMidi", port = "LPD8", message_type = "NoteOn", note = 70, velocity = 80, hold = true }
[[global_mappings]]
trigger = { type = "Note", note = 12 }
action = { type = "Panic" }
[[global_mappings]]
name = "nowhere"
trigger = { type = "Note", note = 13 }
action = { type = "SendMidi", port = "Nowhere", message_type = "Start" }
[[global_mappings]]
trigger = { type = "CC", cc = 20 }
action = { type = "SendMidi", port = "LPD8", message_type = "CC", channel = 3, controller = 74, value = { invert = true } }

[[global_mappings]]
trigger = { type = "CC", cc = 7 }
action = { type = "VolumeControl", operation = "Set" }
[[global_mappings]]
trigger = { type = "Note", note = 20 }
action = { type = "VolumeControl", operation = "Up", step = 10 }
[[global_mappings]]
trigger = { type = "Note", note = 21 }
action = { type = "VolumeControl", operation = "Toggle" }
[[global_mappings]]
trigger = { type = "Note", note = 22 }
action = { type = "VolumeControl", operation = "Set", target = "input", value = 40 }
`

// sounding is a daemon with these mappings, and the controller that plays it.
func sounding(t *testing.T) (*controller, *process) {
	t.Helper()
	c := plug(t)
	p := startWith(t, sounds, []string{"XDG_RUNTIME_DIR=" + privateRuntime(t)})
	b := session(t, "")
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	b.await(t, "State", 20*time.Second, equals("running"))
	return c, p
}

// soon is within what a message must arrive.
const soon = 60 * time.Second

// ear hears what is sent to the controller, by amidi.
type ear struct{ *transcript }

func hear(t *testing.T) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd, tr := exec.CommandContext(ctx, "usb-midi", "dump"), newTranscript()
	cmd.Stdout, cmd.Stderr = tr, tr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	return &ear{tr}
}

// expect waits until these bytes came, after all that was expected before.
func (e *ear) expect(t *testing.T, want string) {
	t.Helper()
	over := time.After(soon)
	for {
		heard := strings.Join(strings.Fields(e.String()), "") // amidi leaves a blank out now and then
		if strings.HasSuffix(heard, strings.ReplaceAll(want, " ", "")) {
			return
		}
		select {
		case <-e.grow:
		case <-over:
			t.Fatalf("%s is not sent in %v, but %s", want, soon, heard)
		}
	}
}

// TestSendMidi: every message arrives at the hardware, byte for byte.
func TestSendMidi(t *testing.T) {
	c, p := sounding(t)
	e := hear(t)
	for began := time.Now(); !strings.Contains(e.String(), "FA"); { // amidi does not say that it listens
		if time.Since(began) > soon {
			t.Fatalf("nothing is sent; the sequencer has\n%s", root(t, "cat", "/proc/asound/seq/clients"))
		}
		c.tap(t, 8, 100)
		select {
		case <-e.grow:
		case <-time.After(500 * time.Millisecond):
		}
	}
	for note, want := range []string{
		"99 3C 5A", "89 3C 40", "B0 07 40", "C1 0C", "E0 00 00", "D0 21", "A0 3D 22", "F0 7E 7F 06 01 F7", "FA", "FB", "FC",
	} {
		c.tap(t, byte(note), 100)
		e.expect(t, want)
	}
	for _, v := range []byte{1, 100, 127} { // a fader, upside down
		c.play(t, control(20, v)...)
		e.expect(t, fmt.Sprintf("B3 4A %02X", 127-v))
	}
	c.play(t, noteOn(11, 100)...)
	e.expect(t, "90 46 50")
	c.play(t, noteOff(11)...)
	e.expect(t, "80 46 40")
	c.play(t, noteOn(11, 100)...)
	e.expect(t, "90 46 50")
	c.tap(t, 12, 100) // the note ends, and every channel that was used is silent
	e.expect(t, "B9 78 00")
	heard := strings.Join(strings.Fields(e.String()), "")
	for _, want := range []string{"804640", "B07B00", "B17B00", "B37B00", "B97B00"} {
		has(t, heard[max(strings.LastIndex(heard, "904650"), 0):], want)
	}
	c.tap(t, 13, 100)
	p.log.await(t, `cannot send to \"Nowhere\"`, soon)
}

// TestAlsaMixer: a machine without a sound server, and a card that comes late.
func TestAlsaMixer(t *testing.T) {
	c := plug(t)
	p := startWith(t, sounds, []string{"XDG_RUNTIME_DIR=" + privateRuntime(t)})
	b := session(t, "")
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	b.await(t, "Problems", 20*time.Second, contains("audio"))
	root(t, "modprobe", "snd-dummy")
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.done
		root(t, "modprobe", "-r", "snd-dummy")
	})
	b.await(t, "Problems", 20*time.Second, lacks("audio"))
	card := strings.TrimPrefix(strings.SplitN(root(t, "readlink", "/proc/asound/Dummy"), "\n", 2)[0], "card")
	is := func(control string, want string) {
		t.Helper()
		got := ""
		for began := time.Now(); time.Since(began) < 20*time.Second; {
			if got = root(t, "amixer", "-c", card, "-M", "sget", control); strings.Contains(got, want) {
				return
			}
		}
		t.Errorf("no %s in\n%s", want, got)
	}
	c.play(t, control(7, 127)...)
	is("Master", "[100%]")
	c.play(t, control(7, 64)...)
	is("Master", "[50%]")
	c.tap(t, 20, 100)
	is("Master", "[60%]")
	t.Log(root(t, "amixer", "-c", card, "scontents"))
	// Its Master has a switch for what it records only.
	c.tap(t, 21, 100)
	p.log.await(t, "Master cannot be muted", 20*time.Second)
	for i := range 128 { // a fader
		c.play(t, control(7, byte(i))...)
	}
	is("Master", "[100%]")
}
