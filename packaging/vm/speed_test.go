//go:build linux && vm

package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const virtual = `
[[devices]]
name = "virtual"
match = "name:Virtual Raw MIDI 0-0"
[[global_mappings]]
trigger = { type = "Note", note = 36 }
action = { type = "Keystroke", keys = "t", modifiers = ["ctrl", "shift"], hold = true }
[[global_mappings]]
trigger = { type = "CC", cc = 21 }
action = { type = "Keystroke", keys = "f" }
`

// TestLatency compares the daemon with the least program that does the same, turn about, so
// that both meet the same moods of the machine.
func TestLatency(t *testing.T) {
	const rounds, notes = 3, 300
	type result struct{ p50, p99 []time.Duration }
	var ours, theirs result
	for range rounds {
		for _, c := range []struct {
			name, device string
			into         *result
			start        func(t *testing.T)
		}{
			{"midimon", "midimon keyboard", &ours, func(t *testing.T) { onVirtual(t) }},
			{"reference", "reference keyboard", &theirs, func(t *testing.T) { reference(t) }},
		} {
			t.Run(c.name, func(t *testing.T) {
				c.start(t)
				took := latencies(t, c.device, notes)
				c.into.p50 = append(c.into.p50, took[len(took)/2])
				c.into.p99 = append(c.into.p99, took[len(took)*99/100])
			})
		}
	}
	if t.Failed() {
		return
	}
	for name, pair := range map[string][2]time.Duration{
		"p50": {slices.Min(ours.p50), slices.Min(theirs.p50)},
		"p99": {slices.Min(ours.p99), slices.Min(theirs.p99)},
	} {
		ratio := float64(pair[0]) / float64(pair[1])
		t.Logf("%s: midimon %v, reference %v, ratio %.2f", name, pair[0], pair[1], ratio)
		if ratio > 1.3 {
			t.Errorf("%s is %.2f times the reference's, want at most 1.3", name, ratio)
		}
	}
	t.Logf("all rounds: midimon %v, reference %v", ours, theirs)
}

// latencies plays notes and returns, sorted, how long each took from the write of its bytes
// to the last key of its chord.
func latencies(t *testing.T, device string, notes int) []time.Duration {
	t.Helper()
	k := listen(t, device)
	out, err := os.OpenFile(rawmidi(t, "VirMIDI"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	const down, up = "+LEFTCTRL +LEFTSHIFT +T", "-T -LEFTSHIFT -LEFTCTRL"
	pace := time.NewTicker(4 * time.Millisecond)
	defer pace.Stop()
	took := make([]time.Duration, 0, notes)
	for range notes {
		<-pace.C
		from := monotonic()
		if _, err := out.Write(noteOn(36, 100)); err != nil {
			t.Fatal(err)
		}
		keys := k.expect(t, down)
		took = append(took, keys[len(keys)-1].at-from)
		<-pace.C
		if _, err := out.Write(noteOff(36)); err != nil {
			t.Fatal(err)
		}
		k.expect(t, up)
	}
	slices.Sort(took)
	return took
}

// onVirtual is a daemon whose device is the machine's virtual one.
func onVirtual(t *testing.T) *process {
	t.Helper()
	dir := privateRuntime(t)
	p := startWith(t, virtual, []string{"XDG_RUNTIME_DIR=" + dir})
	b := session(t, "")
	b.await(t, "ConnectedDevices", 30*time.Second, equals("[virtual]"))
	b.await(t, "State", 30*time.Second, equals("running"))
	return p
}

func reference(t *testing.T) *exec.Cmd {
	t.Helper()
	clients, err := os.ReadFile("/proc/asound/seq/clients")
	if err != nil {
		t.Fatal(err)
	}
	client := regexp.MustCompile(`Client +(\d+) : "Virtual Raw MIDI`).FindSubmatch(clients)
	if client == nil {
		t.Fatalf("no virtual MIDI in\n%s", clients)
	}
	cmd := exec.CommandContext(context.Background(), "/usr/bin/reference", string(client[1]), "0")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	waitFor(t, "/dev/input", 20*time.Second, "reference keyboard", func() bool { return node("reference keyboard") != "" })
	return cmd
}

// TestLoad plays 1,000 events a second for a minute to both at once: a fader that never
// rests, and twenty times a second a pad.
func TestLoad(t *testing.T) {
	const length, tick = 60 * time.Second, 10 * time.Millisecond
	ours, theirs := onVirtual(t).Process.Pid, reference(t).Process.Pid
	k := listen(t, "midimon keyboard")
	out, err := os.OpenFile(rawmidi(t, "VirMIDI"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	fromOurs, fromTheirs := cpu(t, ours), cpu(t, theirs)
	pace := time.NewTicker(tick)
	defer pace.Stop()
	events, keys := 0, 0
	for i := range int(length / tick) {
		burst := noteOff(36)
		if i%10 == 0 {
			burst = noteOn(36, 100)
			keys += 6 // with its release
		}
		for len(burst) < 10*3 {
			burst = append(burst, control(20, byte(events+len(burst)))...)
			burst[len(burst)-1] &= 0x7f
		}
		events += len(burst) / 3
		<-pace.C
		if _, err := out.Write(burst); err != nil {
			t.Fatal(err)
		}
	}
	cpuOurs, cpuTheirs := cpu(t, ours)-fromOurs, cpu(t, theirs)-fromTheirs
	over := time.After(10 * time.Second)
	for range keys {
		select {
		case <-k.keys:
		case <-over:
			t.Fatalf("some of %d key events were lost", keys)
		}
	}
	t.Logf("CPU for %d events in %v, %d key events, none lost: midimon %v, reference %v", events, length, keys, cpuOurs, cpuTheirs)
}

// cpu is the time that a process spent, in user and system mode (proc(5), in 1/100 s).
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	var user, system int
	words := strings.Fields(rest)
	if _, err := fmt.Sscan(words[11]+" "+words[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
