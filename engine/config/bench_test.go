package config_test

import (
	"fmt"
	"strings"
	"testing"

	burntsushi "github.com/BurntSushi/toml"
	gotoml "github.com/pelletier/go-toml/v2"

	"github.com/amiable-dev/midimon/engine/config"
)

// generated is a file as the ancestor's reload benchmark makes it: a quarter each of Note,
// VelocityRange, LongPress and EncoderTurn, all in inline tables.
func generated(modes, mappings int) []byte {
	var b strings.Builder
	b.WriteString("\n[device]\nname = \"Benchmark Device\"\nauto_connect = false\n\n")
	for m := range modes {
		fmt.Fprintf(&b, "\n[[modes]]\nname = \"Mode %d\"\ncolor = \"blue\"\n\n", m)
		for i := range mappings {
			note := 36 + i%16
			trigger := [...]string{
				fmt.Sprintf(`{ type = "Note", note = %d, velocity_min = 0, velocity_max = 127 }`, note),
				fmt.Sprintf(`{ type = "VelocityRange", note = %d, velocity_ranges = [{level = "Soft", action_index = 0}, {level = "Hard", action_index = 1}] }`, note),
				fmt.Sprintf(`{ type = "LongPress", note = %d, duration_ms = 2000 }`, note),
				`{ type = "EncoderTurn", cc = 1, direction = "Clockwise" }`,
			}[i%4]
			fmt.Fprintf(&b, "\n[[modes.mappings]]\ntrigger = %s\naction = { type = \"Keystroke\", keys = \"f%d\" }\n\n", trigger, i%12+1)
		}
	}
	return []byte(b.String())
}

// generatedSizes are modes, mappings in each, and how many bytes that makes.
var generatedSizes = [][3]int{{1, 10, 1_677}, {3, 30, 14_125}, {5, 50, 38_858}, {10, 100, 153_978}, {15, 150, 346_698}}

func TestGenerated(t *testing.T) {
	for _, size := range generatedSizes {
		src := generated(size[0], size[1])
		if len(src) != size[2] {
			t.Errorf("%d modes of %d mappings are %d bytes, want %d", size[0], size[1], len(src), size[2])
		}
		p, d := config.Load("f", src)
		if p == nil || len(p.Modes) != size[0] || len(p.Mappings) != size[0]*size[1] {
			t.Errorf("%v", d)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, size := range generatedSizes {
		src := generated(size[0], size[1])
		for _, reader := range []struct {
			name string
			read func() error
		}{
			{"midimon", func() error {
				if p, d := config.Load("f", src); p == nil {
					return fmt.Errorf("%v", d)
				}
				return nil
			}},
			{"go-toml", func() error { var m map[string]any; return gotoml.Unmarshal(src, &m) }},
			{"BurntSushi", func() error { var m map[string]any; return burntsushi.Unmarshal(src, &m) }},
		} {
			b.Run(fmt.Sprintf("%dx%d/%s", size[0], size[1], reader.name), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					if err := reader.read(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
