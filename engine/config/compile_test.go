package config_test

import (
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/config"
)

// BenchmarkCompile builds the lookup of the largest of the generated files. x-read is its time
// over that of reading the file without it, the best of either.
func BenchmarkCompile(b *testing.B) {
	src := generated(15, 150)
	loading, compiling := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		p, d := config.Load("f", src)
		loaded := time.Now()
		if p == nil {
			b.Fatal(d)
		}
		p.Compile()
		loading, compiling = min(loading, loaded.Sub(start)), min(compiling, time.Since(loaded))
	}
	b.ReportMetric(0, "ns/op") // of both
	b.ReportMetric(float64(loading.Microseconds()), "load-us")
	b.ReportMetric(float64(compiling.Microseconds()), "compile-us")
	b.ReportMetric(float64(compiling)/float64(loading-compiling), "x-read")
}
