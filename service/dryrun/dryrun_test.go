package dryrun_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/service/dryrun"
)

func TestLines(t *testing.T) {
	origin := &effect.Origin{ID: "id", Label: "the \"label\""}
	tap := &effect.Keystroke{Keys: "t", Modifiers: []string{"ctrl"}}
	held := &effect.Keystroke{Keys: "F13", Modifiers: []string{}, Hold: true}
	var out bytes.Buffer
	w := dryrun.New(&out)
	at := 1234567 * time.Nanosecond
	for _, x := range []effect.Effect{
		{Kind: effect.Act, At: at, Origin: origin, Mode: "M", Action: tap},
		{Kind: effect.KeyDown, At: at, Origin: origin, Mode: "M", Action: tap},
		{Kind: effect.Act, At: at, Origin: origin, Mode: "M", Action: held},
		{Kind: effect.KeyUp, At: at, Origin: origin, Mode: "M", Action: held, Cause: effect.ByMapping},
		{Kind: effect.Act, At: at, Origin: origin, Mode: "M", Action: &effect.Shell{Command: "mail --password=hunter2"}},
		{Kind: effect.Act, At: at, Origin: origin, Mode: "M", Action: &effect.Sequence{Actions: []effect.Action{tap}}},
		{Kind: effect.Act, At: at, Origin: origin, Mode: "M", Action: &effect.Delay{For: time.Second}, Step: 2},
		{Kind: effect.Act, At: at, Mode: "M", Action: &effect.ModeChange{Mode: "N"}},
		{Kind: effect.Act, At: at, Origin: origin, Mode: "M", Action: &effect.Panic{}, Hit: effect.Medium},
		{Kind: effect.Refused, At: at, Origin: origin, Action: tap},
		{Kind: effect.ModeChanged, At: at, Mode: "N", Old: "M"},
	} {
		if err := w.Do(&x); err != nil {
			t.Fatal(err)
		}
	}
	head := `{"at_us":1234,"mapping":"id","label":"the \"label\"","mode":"M","action":`
	want := head + `"Keystroke","keys":"t","modifiers":["ctrl"],"hold":false}
` + head + `"Keystroke","keys":"F13","modifiers":[],"hold":true}
` + head + `"KeyUp","keys":"F13","modifiers":[],"hold":true}
` + head + `"Shell","program":"mail"}
` + head + `"Sequence"}
` + head + `"Delay","step":2,"ms":1000}
{"at_us":1234,"mapping":"","label":"","mode":"M","action":"ModeChange","target":"N"}
` + head + `"Panic","hit":"medium"}
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// broken fails once.
type broken struct {
	bytes.Buffer
	failed bool
}

func (b *broken) Write(p []byte) (int, error) {
	if !b.failed {
		b.failed = true
		return 0, errors.New("no space")
	}
	return b.Buffer.Write(p)
}

func TestDroppedLinesAreCounted(t *testing.T) {
	out := &broken{}
	w := dryrun.New(out)
	x := effect.Effect{Kind: effect.Act, Action: &effect.Delay{}}
	w.Dropped()
	w.Dropped()
	if err := w.Do(&x); err == nil {
		t.Error("a failed write is no error")
	}
	for range 2 {
		if err := w.Do(&x); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.Contains(lines[0], `"dropped":3`) || strings.Contains(lines[1], "dropped") {
		t.Errorf("%q", lines)
	}
}
