//go:build linux

package desktoptest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Mpv starts a player that plays three files of silence, and returns when it is on the bus and
// plays. Debian's mpv loads mpv-mpris by itself.
func (d *Desktop) Mpv() *Program {
	d.t.Helper()
	Need(d.t, "mpv", "playerctl")
	args := []string{"--no-video", "--ao=null", "--no-terminal"}
	for i := range 3 {
		args = append(args, d.Silence(fmt.Sprintf("%d.wav", i)))
	}
	p := d.Start("mpv", args...)
	Until(d.t, "a player that plays", func() bool {
		out, _ := d.Command("playerctl", "status").Output() // fails when there is none
		return strings.TrimSpace(string(out)) == "Playing"
	})
	return p
}

// Silence writes a minute of it below Dir, as a WAV file, and returns its path.
func (d *Desktop) Silence(name string) string {
	d.t.Helper()
	const rate, seconds = 8000, 60
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+rate*seconds)...)
	b = append(b, "WAVEfmt "...)
	for _, v := range []uint32{16, 1 | 1<<16, rate, rate, 1 | 8<<16} { // one channel of 8 bits
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, rate*seconds)
	b = append(b, slices.Repeat([]byte{128}, rate*seconds)...)
	return d.Write(name, string(b))
}
