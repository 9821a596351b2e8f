package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/service/loop"
)

//go:embed demo.txt
var recorded string

// demo plays the recorded performance with the starter configuration, in real time, through
// the real loop and engine, and says what becomes of it. Nothing is performed.
func demo(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("midimon demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { _, _ = fmt.Fprintln(stderr, "usage: midimon demo") }
	if err := flags.Parse(args); err != nil {
		return exitUsage
	}
	if flags.NArg() > 0 {
		flags.Usage()
		return exitUsage
	}
	moments, err := parsePerformance(recorded)
	if err == nil {
		err = play(moments, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "midimon: cannot play the demo: %v\n", err)
		return exitFailed
	}
	return 0
}

// rest is how long after the last message all that came of it is over.
const rest = 500 * time.Millisecond

func play(moments []moment, stdout io.Writer) error {
	program, found := config.Load("starter.toml", config.Starter())
	if program == nil {
		return fmt.Errorf("the starter configuration has errors: %v", found)
	}
	start := time.Now()
	now := func() time.Duration { return time.Since(start) }
	t := &teller{out: stdout, now: now, program: program}
	l := loop.New(loop.Config{
		Engine: engine.New(program), Now: now, Recorder: t, Observer: t, Log: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		l.Run(ctx)
		close(ended)
	}()
	err := l.Do(ctx, func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		e.Attach(0, 0)
		return out
	})
	t.begin()
	for _, m := range moments {
		time.Sleep(m.at - now())
		t.played(m)
		l.Deliver(engine.Input{At: now(), Message: m.message})
	}
	time.Sleep(rest)
	stats, statsErr := l.Stats(ctx)
	modes := l.Modes()
	stop()
	<-ended
	if err != nil || statsErr != nil {
		return fmt.Errorf("the loop did not answer: %w", err)
	}
	t.end(modes, &stats)
	return nil
}
