//go:build linux

package amixer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/volume"
)

const program = "amixer"

const (
	// timeout is how long amixer may take.
	timeout = 2 * time.Second
	// endWithin is how long what it left behind may keep its output open when it has ended.
	endWithin = 100 * time.Millisecond
	// maxOutput is how much it may say, in bytes: a card has a few hundred lines of controls.
	maxOutput = 1 << 20
)

// full is 100 % in the whole numbers that package volume reckons with: a thousandth of one.
const full = 100_000

// Mixer changes volumes. It is for one goroutine at a time.
type Mixer struct {
	run   func(args ...string) ([]byte, error)
	cards func() []string // their numbers
	// asked is what a control was last set to. ALSA has few steps: a small change may not move
	// the control, and must count all the same once there are several.
	asked map[string]asked
}

type asked struct {
	shown   []float64 // what the control came to stand at
	percent float64
	audible []uint32
}

// Available says whether amixer is there.
func Available() bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// New makes a mixer.
func New() *Mixer { return &Mixer{run: within(timeout), cards: cards, asked: map[string]asked{}} }

// within runs amixer, which may take that long.
func within(limit time.Duration) func(args ...string) ([]byte, error) {
	return func(args ...string) ([]byte, error) { return run(limit, args...) }
}

func run(limit time.Duration, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = endWithin
	out, problem := said{end: cancel}, said{end: cancel}
	cmd.Stdout, cmd.Stderr = &out, &problem
	err := cmd.Run()
	switch {
	case out.full || problem.full:
		return nil, fmt.Errorf("amixer said more than %d bytes", maxOutput)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("amixer did not end within %v", limit)
	case err != nil && len(problem.text) > 0:
		return nil, fmt.Errorf("amixer: %s", bytes.TrimSpace(problem.text))
	case err != nil:
		return nil, fmt.Errorf("amixer: %w", err)
	}
	return out.text, nil
}

// said is what a program says. One that says too much is ended.
type said struct {
	text []byte
	full bool
	end  func()
}

func (s *said) Write(b []byte) (int, error) {
	if s.full || len(s.text)+len(b) > maxOutput {
		s.full = true
		s.end()
		return len(b), nil
	}
	s.text = append(s.text, b...)
	return len(b), nil
}

// cards are the sound cards that there are.
func cards() (out []string) {
	b, _ := os.ReadFile("/proc/asound/cards") // there is none without cards
	for line := range strings.Lines(string(b)) {
		if number, _, ok := strings.Cut(strings.TrimSpace(line), " ["); ok {
			out = append(out, number)
		}
	}
	return out
}

// Open says whether there is a mixer to be used.
func (m *Mixer) Open() error {
	_, _, err := m.find("", false)
	return err
}

// find is the control that a name means: of the card that ALSA's configuration makes the
// default, else of the first that has it. Card is what tells amixer which.
func (m *Mixer) find(name string, input bool) (card []string, c *control, err error) {
	try := [][]string{nil}
	for _, number := range m.cards() {
		try = append(try, []string{"-c", number})
	}
	for _, card := range try {
		all, failed := m.controls(card)
		if failed == nil {
			var c *control
			if c, failed = choose(all, name, input); failed == nil {
				return card, c, nil
			}
		}
		if err == nil {
			err = failed
		}
	}
	return nil, nil, err
}

func (m *Mixer) controls(card []string) ([]control, error) {
	out, err := m.run(append(slices.Clone(card), "-M", "scontents")...)
	if err != nil {
		return nil, err
	}
	return parse(bytes.NewReader(out))
}

var errApplication = errors.New("only a sound server knows the volume of an application; ALSA's mixer does not")

// Do performs a VolumeControl.
func (m *Mixer) Do(x *effect.Effect) error {
	a, ok := x.Action.(*effect.VolumeControl)
	if !ok {
		return nil
	}
	if a.App != "" {
		return errApplication
	}
	card, c, err := m.find(a.Device, a.Input)
	if err != nil {
		return err
	}
	switch a.Operation {
	case effect.VolumeMute, effect.VolumeUnmute, effect.VolumeToggle:
		return m.mute(card, c, a)
	default:
		return m.set(card, c, a, x)
	}
}

// direction is how amixer is told which side is meant.
func direction(input bool) string {
	if input {
		return "capture"
	}
	return "playback"
}

func (m *Mixer) set(card []string, c *control, a *effect.VolumeControl, x *effect.Effect) error {
	is := c.side(a.Input).levels
	if len(is) == 0 {
		return fmt.Errorf("%s has no volume", c.name)
	}
	var change volume.Change
	change.Add(a, x)
	key := strings.Join(card, " ") + c.id + direction(a.Input)
	before := m.asked[key]
	channels := make([]uint32, len(is))
	for i, percent := range is {
		channels[i] = uint32(percent / 100 * full)
	}
	if volume.Loudest(channels) > 0 {
		before.audible = channels
	}
	from := slices.Max(is)
	if slices.Equal(before.shown, is) {
		from = before.percent
	}
	before.percent = min(change.Of(from), 100) // ALSA knows no more
	to := make([]uint32, len(is))
	volume.Scale(to, channels, before.audible, before.percent, full)
	words := make([]string, len(to))
	for i, v := range to {
		words[i] = strconv.Itoa(int(math.Round(float64(v)/full*100))) + "%"
	}
	if _, err := m.run(append(slices.Clone(card), "-q", "-M", "sset", c.id, direction(a.Input), strings.Join(words, ","))...); err != nil {
		return err
	}
	// What it came to is what a change by somebody else is told from.
	all, err := m.controls(card)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(o control) bool { return o.id == c.id }); i >= 0 {
		before.shown = all[i].side(a.Input).levels
	}
	m.asked[key] = before
	return nil
}

func (m *Mixer) mute(card []string, c *control, a *effect.VolumeControl) error {
	s := c.side(a.Input)
	if !s.on && !s.off {
		return fmt.Errorf("%s cannot be muted", c.name)
	}
	mute := a.Operation == effect.VolumeMute || a.Operation == effect.VolumeToggle && s.on
	word := map[[2]bool]string{{false, true}: "mute", {false, false}: "unmute", {true, true}: "nocap", {true, false}: "cap"}[[2]bool{a.Input, mute}]
	_, err := m.run(append(slices.Clone(card), "-q", "-M", "sset", c.id, word)...)
	return err
}
