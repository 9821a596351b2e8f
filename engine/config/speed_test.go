package config_test

import (
	"fmt"
	"testing"
	"time"

	gotoml "github.com/pelletier/go-toml/v2"

	"github.com/amiable-dev/midimon/engine/config"
)

// ancestor is how long our ancestor takes to load the generated files, in ms on a like machine.
var ancestor = []float64{0.05, 0.32, 0.89, 3.9, 11}

// BenchmarkBeside loads the generated files beside go-toml's Unmarshal, in turn, and reports
// of each the best of b.N passes in ms, and how many times as long as go-toml we take: for
// everything, with what is said of the file; for reading and checking it alone; and for the
// lookup alone.
func BenchmarkBeside(b *testing.B) {
	for i, size := range generatedSizes {
		src := generated(size[0], size[1])
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			program, found := config.Load("f", src)
			if program == nil {
				b.Fatal(found)
			}
			var all, parse, compile, theirs float64
			turns := []struct {
				best *float64
				do   func()
			}{
				{&all, func() { config.Load("f", src) }},
				{&theirs, func() {
					var m map[string]any
					if err := gotoml.Unmarshal(src, &m); err != nil {
						b.Fatal(err)
					}
				}},
				{&parse, func() { config.Parse("f", src, nil) }},
				{&compile, func() { program.Compile() }},
			}
			pass := max(4, 600_000/len(src)) // some ms: the collector runs in each, and others seldom do
			for b.Loop() {
				for _, turn := range turns {
					start := time.Now()
					for range pass {
						turn.do()
					}
					if ms := time.Since(start).Seconds() * 1000 / float64(pass); *turn.best == 0 || ms < *turn.best {
						*turn.best = ms
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(all, "ms")
			b.ReportMetric(parse, "parse-ms")
			b.ReportMetric(compile, "compile-ms")
			b.ReportMetric(theirs, "go-toml-ms")
			b.ReportMetric(ancestor[i], "ancestor-ms")
			b.ReportMetric(all/theirs, "x-go-toml")
			b.ReportMetric(parse/theirs, "parse-x-go-toml")
		})
	}
}
