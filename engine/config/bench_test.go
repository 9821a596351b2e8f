package config_test

import (
	"fmt"
	"strings"
	"testing"

	burntsushi "github.com/BurntSushi/toml"
	gotoml "github.com/pelletier/go-toml/v2"

	"github.com/amiable-dev/midimon/engine/config"
)

// generated is a file as the ancestor's reload benchmark writes it: a quarter each of Note,
// VelocityRange, LongPress and EncoderTurn, all with inline tables.
func generated(modes, mappings int) []byte {
	var b strings.Builder
	b.WriteString("[device]\nname = \"Test Device\"\nauto_connect = true\n\n[advanced_settings]\nchord_timeout_ms = 50\ndouble_tap_timeout_ms = 300\nhold_threshold_ms = 2000\n\n")
	for m := range modes {
		fmt.Fprintf(&b, "[[modes]]\nname = \"Mode%d\"\ncolor = \"blue\"\n\n", m)
		for i := range mappings {
			note := 36 + i%16
			trigger := [...]string{
				fmt.Sprintf(`{ type = "Note", note = %d, velocity_min = 0, velocity_max = 127 }`, note),
				fmt.Sprintf(`{ type = "VelocityRange", note = %d, velocity_ranges = [{ min = 0, max = 40 }, { min = 41, max = 80 }] }`, note),
				fmt.Sprintf(`{ type = "LongPress", note = %d, duration_ms = 2000 }`, note),
				`{ type = "EncoderTurn", cc = 1, direction = "Clockwise" }`,
			}[i%4]
			fmt.Fprintf(&b, "[[modes.mappings]]\ndescription = \"Mapping %d in mode %d\"\ntrigger = %s\naction = { type = \"Keystroke\", keys = \"f%d\" }\n\n", i, m, trigger, i%12+1)
		}
	}
	return []byte(b.String())
}

func BenchmarkLoad(b *testing.B) {
	for _, size := range [][2]int{{1, 10}, {3, 30}, {5, 50}, {10, 100}, {15, 150}} {
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
