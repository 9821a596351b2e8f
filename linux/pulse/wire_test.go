//go:build linux

package pulse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"
)

// packet is one of the protocol.
func packet(channel, command uint32, values ...byte) []byte {
	body := append(binary.BigEndian.AppendUint32([]byte{'L'}, command), 'L', 0, 0, 0, 7)
	body = append(body, values...)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, channel)
	b = append(b, make([]byte, 12)...)
	return append(b, body...)
}

// through is what the library gets to see of what a server sends.
func through(t testing.TB, sent []byte) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_, _ = theirs.Write(sent)
		_ = theirs.Close()
	}()
	got, err := io.ReadAll(newWire(ours, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	_ = ours.Close()
	return got
}

func TestWirePassesWhatTheLibraryKnows(t *testing.T) {
	reply := packet(controlChannel, commandReply, 't', 'a', 0, 'N', 'L', 0, 0, 0, 1, 'v', 1, 0, 0, 0, 9, 'P', 't', 'k', 0, 'L', 0, 0, 0, 2, 'x', 0, 0, 0, 2, 'v', 0, 'N')
	event := packet(controlChannel, commandSubscribe, 'L', 0, 0, 0, 0x10, 'L', 0, 0, 0, 1)
	no := packet(controlChannel, commandError, 'L', 0, 0, 0, 5)
	format := packet(controlChannel, commandReply, 'f', 'B', 1, 'P', 'N', 'm', 2, 1, 2, 'x', 0, 0, 0, 0)
	data := packet(3, 1, 1, 2, 3)
	unknown := packet(controlChannel, 9999, 'L', 0, 0, 0, 5)
	got := through(t, slices.Concat(reply, data, event, unknown, no, format))
	if want := slices.Concat(reply, event, no, format); !bytes.Equal(got, want) {
		t.Errorf("passed %x\nwant   %x", got, want)
	}
}

// TestWireEndsAtWhatIsBroken: the library would crash or wait for ever, in a goroutine of its own.
func TestWireEndsAtWhatIsBroken(t *testing.T) {
	good := packet(controlChannel, commandSubscribe, 'L', 0, 0, 0, 0x10, 'L', 0, 0, 0, 1)
	for name, bad := range map[string][]byte{
		"cut short":           good[:len(good)-3],
		"only a head":         good[:12],
		"too large":           {0xff, 0xff, 0xff, 0xf0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"too small":           {0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'L', 0},
		"something else":      append([]byte{0, 0, 0, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "HTTP/1.1 4"...),
		"no value":            packet(controlChannel, commandReply, '?'),
		"half a value":        packet(controlChannel, commandReply, 'L', 0),
		"text without end":    packet(controlChannel, commandReply, 't', 'a'),
		"a long text":         packet(controlChannel, commandReply, 'x', 0xff, 0xff, 0xff, 0xff),
		"endless properties":  packet(controlChannel, commandReply, 'P', 't', 'a', 0, 'L', 0, 0, 0, 1, 'x', 0, 0, 0, 1, 0),
		"sizes that disagree": packet(controlChannel, commandReply, 'P', 't', 'a', 0, 'L', 0, 0, 0, 2, 'x', 0, 0, 0, 1, 0, 'N'),
		"broken properties":   packet(controlChannel, commandReply, 'P', 'x', 0, 0, 0, 0, 'N'),
		"volumes cut short":   packet(controlChannel, commandReply, 'v', 2, 0, 0, 0, 1),
		"a broken format":     packet(controlChannel, commandReply, 'f', 'B', 1, 'N'),
	} {
		t.Run(name, func(t *testing.T) {
			if got := through(t, append(slices.Clone(good), bad...)); !bytes.Equal(got, good) {
				t.Errorf("passed %x, want %x", got, good)
			}
		})
	}
}

// FuzzWire: whatever comes, the library gets whole packets of whole values.
func FuzzWire(f *testing.F) {
	f.Add(packet(controlChannel, commandReply, 't', 'a', 0, 'P', 't', 'k', 0, 'L', 0, 0, 0, 2, 'x', 0, 0, 0, 2, 'v', 0, 'N'))
	f.Add(slices.Concat(packet(3, 1, 1, 2), packet(controlChannel, commandSubscribe, 'L', 0, 0, 0, 0x10)))
	f.Add(packet(controlChannel, commandReply, 'f', 'B', 1, 'P', 'N', 'm', 2, 1, 2, 'v', 1, 0, 0, 0, 1))
	f.Fuzz(func(t *testing.T, sent []byte) {
		w := newWire(&replay{in: bytes.NewReader(sent)}, time.Second)
		got, err := io.ReadAll(w)
		if err != nil {
			t.Fatal(err)
		}
		for len(got) > 0 {
			if len(got) < descriptorSize+headSize {
				t.Fatalf("half a packet: %x", got)
			}
			size := int(binary.BigEndian.Uint32(got))
			if len(got) < descriptorSize+size || !wellFormed(got[descriptorSize+headSize:descriptorSize+size]) {
				t.Fatalf("a broken packet: %x", got)
			}
			got = got[descriptorSize+size:]
		}
	})
}

// replay is a connection that only reads.
type replay struct {
	net.Conn
	in io.Reader
}

func (r *replay) Read(p []byte) (int, error) { return r.in.Read(p) }

// TestWriteIsBounded: a server that does not read.
func TestWriteIsBounded(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close() //nolint:errcheck // nothing was written
	w := newWire(ours, 20*time.Millisecond)
	if _, err := w.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write = %v", err)
	}
	if _, err := w.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("Read after it = %v", err)
	}
}
