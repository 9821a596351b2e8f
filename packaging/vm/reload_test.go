//go:build linux && vm

package vm

import (
	"fmt"
	"os"
	"slices"
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

// pressed is a pad that was hit.
type pressed struct {
	pad int
	at  time.Duration
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

// performer hits pads, two every 10 ms, and turns a fader in between: 2,000 messages a second.
type performer struct {
	k    *keyboard
	out  *os.File
	hits []pressed
	keys []key // pressed, of those hits

	messages, waited int // waited: how many times it had to
}

// ahead is how many pads may be hit whose keys have not been seen. A reader of keys loses some
// when the kernel has more than 64 events for it, four a pad; so long as 70 ms are enough for
// whatever keeps the machine busy, nobody waits.
const ahead = 14

// play goes on until stop is closed, and then until each pad has pressed a key.
func (p *performer) play(stop <-chan struct{}) error {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	var lost <-chan time.Time
	for {
		select {
		case e := <-p.k.keys:
			if e.Value == 1 {
				p.keys, lost = append(p.keys, e), nil
			}
			continue
		case <-lost:
			return fmt.Errorf("%d of %d pads pressed a key; the reader missed some %d times", len(p.keys), len(p.hits), p.k.missed.Load())
		case <-pace.C:
		}
		select {
		case <-stop:
			stop = nil
		default:
		}
		if len(p.keys) < len(p.hits) && lost == nil {
			lost = time.After(60 * time.Second)
		}
		if len(p.hits)-len(p.keys) > ahead-2 {
			p.waited++
			continue
		}
		if stop == nil {
			if len(p.keys) == len(p.hits) {
				return nil
			}
			continue
		}
		var bytes []byte
		for range 2 {
			pad := len(p.hits) % pads
			bytes = append(append(bytes, noteOn(byte(firstPad+pad), 100)...), noteOff(byte(firstPad+pad))...)
			p.hits = append(p.hits, pressed{pad, monotonic()})
		}
		for i := range 16 {
			bytes = append(bytes, control(30, byte(len(p.hits)+i)&127)...)
		}
		p.messages += 20
		if _, err := p.out.Write(bytes); err != nil {
			return err
		}
	}
}

// TestReloadsWhilePlaying saves good and bad configurations in turn while 2,000 messages a
// second come over USB. Every pad presses its letter, of the newer map or the older, and soon.
func TestReloadsWhilePlaying(t *testing.T) {
	const reloads, goal = 200, 50 * time.Millisecond
	b, _, k := ready(t)
	k.grab(t)
	pid := int(b.owner())
	save(t, lettered(0), true)
	b.await(t, "ConfigGeneration", 60*time.Second, equals("2"))

	out, err := os.OpenFile(rawmidi(t, "gad0"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	before := received(t)
	p := &performer{k: k, out: out}
	metronome := beat(t)
	stop, played := make(chan struct{}), make(chan error, 1)
	go func() { played <- p.play(stop) }()

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
	b.await(t, "ConfigStatus", 60*time.Second, equals("ok"))
	close(stop)
	if err := <-played; err != nil {
		t.Fatalf("%v; %d of %d messages came", err, received(t)-before, p.messages)
	}
	stills := metronome()
	var took, quiet, net []time.Duration
	odd := 0
	for i, e := range p.keys {
		of := -1
		for v := range 2 {
			if evdev.CodeName(e.Type, e.Code) == "KEY_"+strings.ToUpper(string(letter(v, p.hits[i].pad))) {
				of = v
			}
		}
		if of < 0 {
			t.Fatalf("pad %d, the %dth: %v, want %c or %c", p.hits[i].pad, i, e, letter(0, p.hits[i].pad), letter(1, p.hits[i].pad))
		}
		odd += of
		switch hit := p.hits[i].at; {
		case rest.has(hit):
			quiet = append(quiet, e.at-hit)
		case !busy.has(hit):
			took = append(took, e.at-hit)
			net = append(net, e.at-hit-within(stills, span{hit, e.at}))
		}
	}
	slices.Sort(took)
	slices.Sort(quiet)
	slices.Sort(net)
	n, q := len(took), len(quiet)
	t.Logf("without reloads %d pads: p50 %v, p99 %v, p99.9 %v, most %v", q, quiet[q/2], quiet[q*99/100], quiet[q*999/1000], quiet[q-1])
	t.Logf("%d pads over %d reloads, %d by odd maps, none lost: p50 %v, p99 %v, p99.9 %v, most %v; waited %d times", n, reloads, odd,
		took[n/2], took[n*99/100], took[n*999/1000], took[n-1], p.waited)
	t.Logf("less the time in which a processor of the machine itself stood still, %d times for a millisecond or more: p99 %v, p99.9 %v, most %v",
		len(stills), net[n*99/100], net[n*999/1000], net[n-1])
	if took[n-1] > goal {
		t.Logf("the goal is not reached: a pad took %v, and not at most %v", took[n-1], goal)
	}
	if odd == 0 || odd == len(p.keys) {
		t.Errorf("%d of %d by odd maps", odd, len(p.keys))
	}
	if got := received(t) - before; got != p.messages {
		t.Errorf("%d of %d messages came", got, p.messages)
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
