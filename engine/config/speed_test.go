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
// of each the best of b.N passes in ms, and how many times as long we take.
func BenchmarkBeside(b *testing.B) {
	for i, size := range generatedSizes {
		src := generated(size[0], size[1])
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			pass := max(4, 600_000/len(src)) // some ms: the collector runs in each, and others seldom do
			best := func(least *float64, load func()) {
				start := time.Now()
				for range pass {
					load()
				}
				if ms := time.Since(start).Seconds() * 1000 / float64(pass); *least == 0 || ms < *least {
					*least = ms
				}
			}
			var ours, theirs float64
			for b.Loop() {
				best(&ours, func() {
					if p, d := config.Load("f", src); p == nil {
						b.Fatal(d)
					}
				})
				best(&theirs, func() {
					var m map[string]any
					if err := gotoml.Unmarshal(src, &m); err != nil {
						b.Fatal(err)
					}
				})
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours, "ms")
			b.ReportMetric(theirs, "go-toml-ms")
			b.ReportMetric(ancestor[i], "ancestor-ms")
			b.ReportMetric(ours/theirs, "x-go-toml")
		})
	}
}
