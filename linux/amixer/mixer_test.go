//go:build linux

package amixer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

// printed is what amixer -M scontents says of a laptop and of a dummy card.
const printed = `Simple mixer control 'Master',0
  Capabilities: pvolume pswitch pswitch-joined
  Playback channels: Front Left - Front Right
  Limits: Playback 0 - 87
  Mono:
  Front Left: Playback 57 [%s] [-30.00dB] [%s]
  Front Right: Playback 57 [%s] [-30.00dB] [%s]
Simple mixer control 'Headphone',0
  Capabilities: pvolume pswitch
  Front Left: Playback 0 [0%%] [-99999.99dB] [off]
  Front Right: Playback 0 [0%%] [-99999.99dB] [off]
Simple mixer control 'Capture',0
  Capabilities: cvolume cswitch
  Capture channels: Front Left - Front Right
  Limits: Capture 0 - 63
  Front Left: Capture 39 [62%%] [12.00dB] [on]
  Front Right: Capture 39 [62%%] [12.00dB] [on]
Simple mixer control 'CD',0
  Capabilities: volume cswitch
  Front Left: 16 [50%%] Capture [off]
  Front Right: 16 [50%%] Capture [off]
Simple mixer control 'Mic',0
  Capabilities: pvolume pvolume-joined pswitch pswitch-joined cvolume cvolume-joined cswitch cswitch-joined
  Mono: Playback 1 [10%%] [on] Capture 2 [20%%] [off]
Simple mixer control 'Auto-Mute Mode',0
  Capabilities: enum
  Items: 'Disabled' 'Enabled'
  Item0: 'Enabled'
`

// card is a sound card with a Master of 32 steps, as amixer sees it.
type card struct {
	left, right int // of 31
	off         bool
	did         []string
	err         error
}

func (c *card) run(args ...string) ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	if slices.Contains(args, "scontents") {
		percent := func(raw int) string { return fmt.Sprintf("%d%%", (raw*100+15)/31) }
		on := map[bool]string{false: "on", true: "off"}[c.off]
		return fmt.Appendf(nil, printed, percent(c.left), on, percent(c.right), on), nil
	}
	c.did = append(c.did, strings.Join(args, " "))
	var l, r int
	switch word := args[len(args)-1]; word {
	case "mute", "unmute":
		c.off = word == "mute"
	case "cap", "nocap":
	default:
		if _, err := fmt.Sscanf(word, "%d%%,%d%%", &l, &r); err == nil {
			c.left, c.right = (l*31+50)/100, (r*31+50)/100
		}
	}
	return nil, nil
}

func newMixer(c *card) *Mixer {
	m := New()
	m.run, m.cards = c.run, func() []string { return nil }
	return m
}

func TestParse(t *testing.T) {
	all, err := parse(strings.NewReader(fmt.Sprintf(printed, "66%", "on", "33%", "on")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprintf("%s %v %v", c.id, c.playback, c.capture))
	}
	want := []string{
		"'Master',0 {[66 33] true false} {[] false false}",
		"'Headphone',0 {[0 0] false true} {[] false false}",
		"'Capture',0 {[] false false} {[62 62] true false}",
		"'CD',0 {[50 50] false false} {[50 50] false true}",
		"'Mic',0 {[10] true false} {[20] false true}",
		"'Auto-Mute Mode',0 {[] false false} {[] false false}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(fmt.Sprintf(printed, "66%", "on", "33%", "on"))
	f.Add("Simple mixer control ''',0\n  a: [1%] [on]")
	f.Fuzz(func(t *testing.T, s string) {
		all, err := parse(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, c := range all {
			for _, side := range []side{c.playback, c.capture} {
				if len(side.levels) > maxChannels {
					t.Fatalf("%d channels", len(side.levels))
				}
				for _, l := range side.levels {
					if l < 0 || l > 100 {
						t.Fatalf("%v %%", l)
					}
				}
			}
		}
	})
}

func TestDo(t *testing.T) {
	type control = effect.VolumeControl
	for _, c := range []struct {
		name  string
		a     control
		level float64
		want  string // the last words of what was run
	}{
		{"set", control{Operation: effect.VolumeSet}, 80, "'Master',0 playback 80%,40%"},
		{"above all there is", control{Operation: effect.VolumeSet, Limit: 150}, 140, "'Master',0 playback 100%,50%"},
		{"up", control{Operation: effect.VolumeUp, Step: 2}, 0, "'Master',0 playback 99%,49%"},
		{"down", control{Operation: effect.VolumeDown, Step: 40}, 0, "'Master',0 playback 57%,28%"},
		{"by name", control{Operation: effect.VolumeSet, Device: "headphone"}, 30, "'Headphone',0 playback 30%,30%"},
		{"microphone", control{Operation: effect.VolumeSet, Input: true}, 31, "'Capture',0 capture 31%,31%"},
		{"another microphone", control{Operation: effect.VolumeDown, Step: 5, Input: true, Device: "Mic"}, 0, "'Mic',0 capture 15%"},
		{"mute", control{Operation: effect.VolumeMute}, 0, "'Master',0 mute"},
		{"toggle", control{Operation: effect.VolumeToggle}, 0, "'Master',0 mute"},
		{"unmute", control{Operation: effect.VolumeUnmute}, 0, "'Master',0 unmute"},
		{"toggle back", control{Operation: effect.VolumeToggle, Device: "Headphone"}, 0, "'Headphone',0 unmute"},
		{"mute the microphone", control{Operation: effect.VolumeMute, Input: true}, 0, "'Capture',0 nocap"},
		{"toggle a microphone back", control{Operation: effect.VolumeToggle, Input: true, Device: "Mic"}, 0, "'Mic',0 cap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.a.Limit == 0 {
				c.a.Limit = 100
			}
			card := &card{left: 30, right: 15} // 97 % and 48 %
			m := newMixer(card)
			if err := m.Open(); err != nil {
				t.Fatal(err)
			}
			if err := m.Do(&effect.Effect{Action: &c.a, Level: c.level}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(card.did, "; "); !strings.HasPrefix(got, "-q -M sset ") || !roughly(strings.TrimPrefix(got, "-q -M sset "), c.want) {
				t.Errorf("ran %q, want %q", got, c.want)
			}
		})
	}
}

// roughly compares words, and numbers to 2.
func roughly(got, want string) bool {
	g, w := strings.Fields(strings.ReplaceAll(got, ",", " ")), strings.Fields(strings.ReplaceAll(want, ",", " "))
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		var a, b int
		if n, _ := fmt.Sscanf(g[i]+" "+w[i], "%d%% %d%%", &a, &b); n == 2 {
			if a-b > 2 || b-a > 2 {
				return false
			}
		} else if g[i] != w[i] {
			return false
		}
	}
	return true
}

// TestSmallStepsCount: each is less than a step of the card, and ten of them are not.
func TestSmallStepsCount(t *testing.T) {
	card := &card{left: 15, right: 15} // 48 %
	m := newMixer(card)
	x := &effect.Effect{Action: &effect.VolumeControl{Operation: effect.VolumeUp, Step: 1, Limit: 100}}
	for range 10 {
		if err := m.Do(x); err != nil {
			t.Fatal(err)
		}
	}
	if card.left != 18 { // 58 %
		t.Errorf("ten steps of 1 %% from 15 of 31 come to %d", card.left)
	}
	card.left, card.right = 5, 5 // somebody else
	if err := m.Do(x); err != nil {
		t.Fatal(err)
	}
	if got := card.did[len(card.did)-1]; !strings.HasSuffix(got, "17%,17%") {
		t.Errorf("after a change by somebody else: %s", got)
	}
}

func TestBalanceSurvivesSilence(t *testing.T) {
	card := &card{left: 30, right: 15}
	m := newMixer(card)
	set := &effect.VolumeControl{Operation: effect.VolumeSet, Limit: 100}
	for _, level := range []float64{0, 97} {
		if err := m.Do(&effect.Effect{Action: set, Level: level}); err != nil {
			t.Fatal(err)
		}
	}
	if card.left != 30 || card.right != 15 {
		t.Errorf("30 and 15 became %d and %d", card.left, card.right)
	}
}

// TestOtherCards: the default one may be a controller, which has no volume.
func TestOtherCards(t *testing.T) {
	m := newMixer(nil)
	m.cards = func() []string { return []string{"0", "1", "2"} }
	var ran []string
	cards := map[string]*card{"1": {left: 30, right: 15}, "2": {}}
	m.run = func(args ...string) ([]byte, error) {
		ran = append(ran, strings.Join(args, " "))
		if args[0] != "-c" || args[1] == "0" {
			return nil, nil
		}
		return cards[args[1]].run(args[2:]...)
	}
	if err := m.Do(&effect.Effect{Action: &effect.VolumeControl{Operation: effect.VolumeMute}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"-M scontents", "-c 0 -M scontents", "-c 1 -M scontents", "-c 1 -q -M sset 'Master',0 mute"}
	if !slices.Equal(ran, want) {
		t.Errorf("ran %q\nwant %q", ran, want)
	}
}

func TestErrors(t *testing.T) {
	do := func(c *card, a effect.VolumeControl) error {
		a.Limit = 100
		return newMixer(c).Do(&effect.Effect{Action: &a})
	}
	for _, c := range []struct {
		name string
		card *card
		a    effect.VolumeControl
		want string
	}{
		{"an application", &card{}, effect.VolumeControl{App: "mpv"}, "only a sound server"},
		{"no such control", &card{}, effect.VolumeControl{Device: "Nose"}, `no "Nose"; it has Master, Headphone`},
		{"no switch", &card{}, effect.VolumeControl{Operation: effect.VolumeMute, Device: "CD"}, "CD cannot be muted"},
		{"amixer fails", &card{err: errors.New("no card")}, effect.VolumeControl{}, "no card"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := do(c.card, c.a); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := parse(strings.NewReader("Simple mixer control Master\n")); err == nil {
		t.Error("nonsense is read")
	}
	if _, err := choose(nil, "", false); err == nil {
		t.Error("nothing is chosen from")
	}
}
