//go:build linux && vm

package vm

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holoplot/go-evdev"
)

const (
	firstPad = 36
	pads     = 13
)

// lettered is a configuration in which each pad presses a letter: of the first half of the
// alphabet in even versions, of the second in odd ones.
func lettered(version int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# version %d\n[device]\nname = \"LPD8\"\n", version)
	for pad := range pads {
		fmt.Fprintf(&b, "[[global_mappings]]\ntrigger = { type = \"Note\", note = %d }\naction = { type = \"Keystroke\", keys = \"%c\", hold = true }\n",
			firstPad+pad, letter(version, pad))
	}
	return b.String()
}

func letter(version, pad int) rune { return rune('a' + version%2*pads + pad) }

// save makes text the user's configuration, in place or by another file over it.
func save(t *testing.T, text string, over bool) {
	t.Helper()
	path := "/home/tester/.config/midimon/config.toml"
	name := path
	if over {
		name += ".new"
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(name, tester, tester); err != nil {
		t.Fatal(err)
	}
	if over {
		if err := os.Rename(name, path); err != nil {
			t.Fatal(err)
		}
	}
}

// reloaded waits until a reload has ended as is wanted. It asks nothing: 2,000 messages a second
// leave an emulated machine little.
func (b *bus) reloaded(t *testing.T, wanted func(ok bool, generation uint64) bool) {
	t.Helper()
	for over := time.After(60 * time.Second); ; {
		select {
		case s := <-b.signals:
			if s.Name != busName+".ReloadFinished" {
				continue
			}
			ok, _ := s.Body[0].(bool)
			if generation, _ := s.Body[1].(uint64); wanted(ok, generation) {
				return
			}
		case <-over:
			t.Fatal("no such reload has ended")
		}
	}
}

// pressed is a pad that was hit, and the key that it pressed.
type pressed struct {
	pad     int
	hit     time.Duration
	key     evdev.EvCode
	pressed time.Duration
}

// perform has the performer play on the controller until what it returns is called, which tells what was
// played, how many messages that were, and how often it had to wait.
func perform(t *testing.T) func() (played []pressed, messages, waited int) {
	t.Helper()
	// What nobody else gets a shell on the console does not get either: it edits a line that gets longer with
	// each key, which takes an emulated machine a fifth of a processor.
	stop := accompany(t, "performer", rawmidi(t, "gad0"), node("midimon keyboard"), strconv.Itoa(firstPad), strconv.Itoa(pads))
	return func() (played []pressed, messages, waited int) {
		t.Helper()
		for line := range strings.Lines(stop()) {
			var p pressed
			if n, _ := fmt.Sscan(line, &p.pad, &p.hit, &p.key, &p.pressed); n == 4 {
				played = append(played, p)
			} else if _, err := fmt.Sscan(line, &messages, &waited); err != nil {
				t.Fatalf("%v in %q", err, line)
			}
		}
		return played, messages, waited
	}
}

// TestReloadsWhilePlaying saves good and bad configurations in turn while 2,000 messages a
// second come over USB. Every pad presses its letter, of the newer map or the older, and soon.
func TestReloadsWhilePlaying(t *testing.T) {
	const reloads, goal = 200, 50 * time.Millisecond
	b, _, _ := ready(t)
	pid := int(b.owner())
	save(t, lettered(0), true)
	b.await(t, "ConfigGeneration", 60*time.Second, equals("2"))

	hearAll := b.only(t, "ReloadFinished")
	before := received(t)
	metronome, played := beat(t), perform(t)

	var busy span                   // when the test itself keeps the machine busy
	rest := span{from: monotonic()} // nobody does anything but play, which shows what the machine itself takes
	time.Sleep(15 * time.Second)
	rest.to = monotonic()

	generation, version := uint64(2), 0
	var early footprint
	pace := time.NewTicker(200 * time.Millisecond) // at their fastest they leave an emulated machine nothing for the notes
	defer pace.Stop()
	for i := 1; i <= reloads; i++ {
		<-pace.C
		if i%2 == 1 {
			text := lettered(version + 1)
			save(t, text[:len(text)/2]+"\n[[global_mappings", i%4 == 1)
			b.reloaded(t, func(ok bool, _ uint64) bool { return !ok })
		} else {
			version++
			generation++
			save(t, lettered(version), i%4 == 2)
			b.reloaded(t, func(ok bool, is uint64) bool { return ok && is == generation })
		}
		if i == 10 {
			busy.from = monotonic()
			early = measure(t, pid)
			busy.to = monotonic()
			generation++ // it reloads to measure
		}
	}
	hearAll()
	b.await(t, "ConfigStatus", 60*time.Second, equals("ok"))
	hits, messages, waited := played()
	stills := metronome()
	var took, quiet, net []time.Duration
	odd := 0
	for i, p := range hits {
		of := slices.IndexFunc([]int{0, 1}, func(v int) bool {
			return evdev.CodeName(evdev.EV_KEY, p.key) == "KEY_"+strings.ToUpper(string(letter(v, p.pad)))
		})
		if of < 0 {
			t.Fatalf("pad %d, the %dth: %v, want %c or %c", p.pad, i, evdev.CodeName(evdev.EV_KEY, p.key), letter(0, p.pad), letter(1, p.pad))
		}
		odd += of
		switch late := p.pressed - p.hit; {
		case rest.has(p.hit):
			quiet = append(quiet, late)
		case !busy.has(p.hit):
			took = append(took, late)
			net = append(net, late-within(stills, span{p.hit, p.pressed}))
		}
	}
	slices.Sort(took)
	slices.Sort(quiet)
	slices.Sort(net)
	n, q := len(took), len(quiet)
	t.Logf("without reloads %d pads: p50 %v, p99 %v, p99.9 %v, most %v", q, quiet[q/2], quiet[q*99/100], quiet[q*999/1000], quiet[q-1])
	t.Logf("%d pads over %d reloads, %d by odd maps, none lost: p50 %v, p99 %v, p99.9 %v, most %v; waited %d times", n, reloads, odd,
		took[n/2], took[n*99/100], took[n*999/1000], took[n-1], waited)
	t.Logf("less the time in which a processor of the machine itself stood still, %d times for a millisecond or more: p99 %v, p99.9 %v, most %v",
		len(stills), net[n*99/100], net[n*999/1000], net[n-1])
	if took[n-1] > goal {
		t.Logf("the goal is not reached: a pad took %v, and not at most %v", took[n-1], goal)
	}
	if odd == 0 || odd == len(hits) {
		t.Errorf("%d of %d by odd maps", odd, len(hits))
	}
	if got := received(t) - before; got != messages {
		t.Errorf("%d of %d messages came", got, messages)
	}
	grew(t, "reloads", early, measure(t, pid))
}

// received is how many messages the daemon has counted.
func received(t *testing.T) int {
	t.Helper()
	out := must(t, "busctl", "--user", "call", busName, "/com/amiable/Midimon1", busName+".Statistics", "Snapshot")
	_, rest, ok := strings.Cut(out, `"events_received" t `)
	n := 0
	if _, err := fmt.Sscan(rest, &n); !ok || err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return n
}
