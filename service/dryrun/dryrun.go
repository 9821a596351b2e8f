// Package dryrun writes down what would be done, one JSON line an action, and does none of
// it.
package dryrun

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// Writer writes the lines, each whole and at once. It is the loop's Recorder.
type Writer struct {
	out     io.Writer
	dropped atomic.Uint64
}

// New writes to out.
func New(out io.Writer) *Writer { return &Writer{out: out} }

// Name is the check that speaks for it.
func (*Writer) Name() string { return "dry-run" }

// Open has nothing to do.
func (*Writer) Open(context.Context) error { return nil }

// Await has nothing to wait for.
func (*Writer) Await(ctx context.Context) error { return ctx.Err() }

// Close has nothing to do.
func (*Writer) Close() error { return nil }

// Dropped counts a line that was never written; the next one says so.
func (w *Writer) Dropped() { w.dropped.Add(1) }

// Do writes the line of an action, or of the release of a keystroke that was held. Other
// effects have none.
func (w *Writer) Do(x *effect.Effect) error {
	if x.Kind != effect.Act && x.Kind != effect.KeyUp {
		return nil
	}
	dropped := w.dropped.Swap(0)
	text, err := line(x, dropped)
	if err != nil {
		return err
	}
	if _, err := w.out.Write(text); err != nil {
		w.dropped.Add(dropped + 1)
		return fmt.Errorf("cannot write: %w", err)
	}
	return nil
}

// head is what every line begins with.
type head struct {
	AtUs    int64  `json:"at_us"` // monotonic
	Mapping string `json:"mapping"`
	Label   string `json:"label"`
	Mode    string `json:"mode"`
	Action  string `json:"action"`
	Step    uint16 `json:"step,omitempty"`
	Steps   int16  `json:"steps,omitempty"`
	Hit     string `json:"hit,omitempty"` // soft, medium or hard
	Dropped uint64 `json:"dropped,omitempty"`
}

// line is an effect as a line of JSON, its newline included.
func line(x *effect.Effect, dropped uint64) ([]byte, error) {
	h := head{AtUs: int64(x.At / time.Microsecond), Mode: x.Mode, Step: x.Step, Steps: x.Steps, Hit: x.Hit.String(), Dropped: dropped}
	if x.Origin != nil {
		h.Mapping, h.Label = x.Origin.ID, x.Origin.Label
	}
	h.Action = x.Action.Type()
	if x.Kind == effect.KeyUp {
		h.Action = "KeyUp"
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("cannot write the action down: %w", err)
	}
	text = text[:len(text)-1]
	for _, f := range fields(x) {
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, fmt.Errorf("cannot write the action down: %w", err)
		}
		text = append(append(text, `,"`+f.key+`":`...), value...)
	}
	return append(text, "}\n"...), nil
}
