//go:build linux && vm

package alsaseq

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/stream"
)

// These tests need a kernel with the sequencer and a USB controller that usb-midi pretends
// to be; they run as root in the test machine. USB_MIDI is the path of that script.

func usbMIDI(t *testing.T, args ...string) {
	t.Helper()
	script := os.Getenv("USB_MIDI")
	if script == "" {
		script = "./usb-midi"
	}
	if out, err := exec.CommandContext(t.Context(), "sh", append([]string{script}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("usb-midi %v: %v\n%s", args, err, out)
	}
}

// gadget opens the controller's own side, to play on it.
func gadget(t *testing.T) *os.File {
	t.Helper()
	card, err := filepath.EvalSymlinks("/proc/asound/gad0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile("/dev/snd/midiC"+strings.TrimPrefix(filepath.Base(card), "card")+"D0", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() }) //nolint:errcheck // a device
	return f
}

func play(t *testing.T, f *os.File, b ...byte) {
	t.Helper()
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
}

func realSession(t *testing.T, queue int) (*Session, chan engine.Input) {
	t.Helper()
	in := make(chan engine.Input, queue)
	s, err := New(slog.New(slog.NewTextHandler(os.Stderr, nil)), Options{}).Open(func(i engine.Input) { in <- i })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		go func() { // what nobody waited for
			for range in {
			}
		}()
		end(t, s)
		close(in)
	})
	return s, in
}

func lpd8(p report.Port) bool { return p.USB == "09e8:0075" && p.Serial == "A1" }

func plug(t *testing.T, s *Session) report.Port {
	t.Helper()
	usbMIDI(t, "plug", "LPD8", "09e8:0075", "A1")
	t.Cleanup(func() {
		g := "/sys/kernel/config/usb_gadget/midi0/"
		if err := os.WriteFile(g+"UDC", []byte("\n"), 0); err != nil && !os.IsNotExist(err) {
			t.Log(err) // already unplugged
		}
		for _, f := range []string{"configs/c.1/midi.usb0", "configs/c.1/strings/0x409", "configs/c.1", "functions/midi.usb0", "strings/0x409", ""} {
			if err := os.Remove(g + f); err != nil {
				t.Error(err)
			}
		}
	})
	return found(t, s, lpd8)
}

func TestPlugAndUnplug(t *testing.T) {
	s, in := realSession(t, 1000)
	p := plug(t, s)
	if p.Path == "" || !p.Hard || !p.In || !p.Out || p.Index != 0 || !strings.Contains(p.Client, "LPD8") {
		t.Errorf("found %+v", p)
	}
	t.Logf("found %+v", p)
	all, err := New(slog.New(slog.DiscardHandler), Options{}).Ports()
	if err != nil || !slices.Contains(all, p) || slices.ContainsFunc(all, func(p report.Port) bool { return p.Client == "midimon" }) {
		t.Errorf("without a session: %+v, %v", all, err)
	}
	var backAfter, lostAfter []time.Duration
	var fds, goroutines int
	for i := range 20 {
		listen(t, s, p, 1)
		g := gadget(t)
		play(t, g, 0x90, 36, 100, 36, 0, 0xB0, 7, byte(i), 0xE0, 0, 0x40)
		expect(t, in, engine.NoteOn, 36, 100)
		expect(t, in, engine.NoteOff, 36, 0)
		expect(t, in, engine.ControlChange, 7, uint16(i))
		expect(t, in, engine.PitchBend, 0, 8192)
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		began := stream.Now()
		usbMIDI(t, "unplug")
		lost := expect(t, in, engine.PortLost, 0, 0)
		lostAfter = append(lostAfter, lost.At-began)
		gone(t, s, lpd8)
		if err := s.Listen(p, 1); err == nil {
			t.Fatal("listened to what is unplugged")
		}
		began = stream.Now()
		usbMIDI(t, "replug")
		p = found(t, s, lpd8)
		backAfter = append(backAfter, stream.Now()-began)
		if i == 9 {
			fds, goroutines = count(t)
		}
	}
	f, n := count(t)
	t.Logf("20 replugs: lost after %v (median, with the script), found after %v; fds %d -> %d, goroutines %d -> %d",
		median(lostAfter), median(backAfter), fds, f, goroutines, n)
	if f != fds || n != goroutines {
		t.Errorf("fds %d -> %d, goroutines %d -> %d between the 10th and the last", fds, f, goroutines, n)
	}
	if len(in) > 0 {
		t.Errorf("%d inputs too many", len(in))
	}
}

func TestLongSysExBothWays(t *testing.T) {
	s, in := realSession(t, 100)
	p := plug(t, s)
	listen(t, s, p, 1)
	g := gadget(t)
	dump := append(append([]byte{0xF0}, bytes.Repeat([]byte{1, 2, 3}, 1000)[:2998]...), 0xF7)
	play(t, g, dump...)
	if got := expect(t, in, engine.SysEx, 0, 0); !bytes.Equal(got.Data, dump) {
		t.Errorf("received %d bytes, want the %d sent", len(got.Data), len(dump))
	}
	for _, size := range []int{3000, 4000} {
		back := slices.Concat([]byte{0x90, 36, 0}, dump[:1], bytes.Repeat([]byte{5}, size-2), dump[len(dump)-1:], []byte{0x90, 37, 1})
		if err := s.Send(p, back); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 0, len(back))
		buf := make([]byte, 4096)
		for len(got) < len(back) {
			n, err := g.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if !bytes.Equal(got, back) {
			t.Errorf("the device received %d bytes, other than the %d sent", len(got), len(back))
		}
	}
}

func TestOverrun(t *testing.T) {
	s, in := realSession(t, 0) // nobody takes: the reader stands still
	p := plug(t, s)
	listen(t, s, p, 1)
	g := gadget(t)
	flood := bytes.Repeat([]byte{0xB0, 1, 1}, 20000)
	wrote := make(chan error, 1)
	go func() {
		_, err := g.Write(flood)
		wrote <- err
	}()
	if err := wait(t, wrote, "end of the flood"); err != nil {
		t.Fatal(err)
	}
	before := 0
	for got := wait(t, in, "input"); got.Kind != engine.Overrun; got = wait(t, in, "overrun") {
		before++
	}
	t.Logf("%d messages before the overrun, %d overruns", before, s.Overruns())
	if s.Overruns() == 0 || before >= 20000 {
		t.Error("no overrun counted")
	}
	play(t, g, 0x90, 36, 100) // the port still works
	for got := wait(t, in, "note after the overrun"); got.Kind != engine.NoteOn; got = wait(t, in, "note after the overrun") {
		if got.Kind == engine.Overrun { // the flood was not over, and took the note with it
			play(t, g, 0x90, 36, 100)
		}
	}
}

func TestUnplugWithinAnOverrun(t *testing.T) {
	s, in := realSession(t, 0)
	p := plug(t, s)
	listen(t, s, p, 1)
	g := gadget(t)
	if _, err := g.Write(bytes.Repeat([]byte{0xB0, 1, 1}, 10000)); err != nil {
		t.Fatal(err)
	}
	g.Close() //nolint:errcheck // a device
	usbMIDI(t, "unplug")
	losses := 0
	for quiet := false; !quiet; {
		select {
		case got := <-in:
			if losses > 0 {
				t.Fatalf("%+v after PortLost", got)
			}
			if got.Kind == engine.PortLost {
				losses++
				usbMIDI(t, "replug")
				found(t, s, lpd8)
				quiet = len(in) == 0
			}
		case <-time.After(limit):
			t.Fatal("no PortLost")
		}
	}
}

func TestBusyDeviceBecomesFree(t *testing.T) {
	s, in := realSession(t, 100)
	p := plug(t, s)
	other, err := os.OpenFile(rawNode(t, p), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for s.Listen(p, 1) == nil {
		t.Fatal("listened to what another program holds")
	}
	if err := s.Listen(p, 1); !isBusy(err) {
		t.Fatalf("Listen = %v, want ErrDeviceBusy", err)
	}
	drainChanged(s)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	wait(t, s.Changed(), "word that the device is free")
	listen(t, s, p, 1)
	play(t, gadget(t), 0x90, 36, 100)
	expect(t, in, engine.NoteOn, 36, 100)
}

// rawNode is the raw device of the same card.
func rawNode(t *testing.T, p report.Port) string {
	t.Helper()
	cards, err := filepath.Glob("/sys/class/sound/card*")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 32 {
		if slices.Contains(cards, fmt.Sprintf("/sys/class/sound/card%d", n)) && identify("/sys", int32(n)).path == p.Path {
			return fmt.Sprintf("/dev/snd/midiC%dD0", n)
		}
	}
	t.Fatal("no card at " + p.Path)
	return ""
}

// TestRawDevice: the same controller by its raw device, which package stream reads.
func TestRawDevice(t *testing.T) {
	s, _ := realSession(t, 100)
	node := rawNode(t, plug(t, s))
	if err := os.Chmod(node, 0o660); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	in := make(chan engine.Input, 30000)
	raw, err := stream.New(slog.New(slog.DiscardHandler), []string{node}).Open(func(i engine.Input) { in <- i })
	if err != nil {
		t.Fatal(err)
	}
	ports, err := raw.Ports()
	if err != nil || len(ports) != 1 || !ports[0].Out {
		t.Fatalf("Ports = %+v, %v", ports, err)
	}
	if err := raw.Listen(ports[0], 1); err != nil {
		t.Fatal(err)
	}
	g := gadget(t)
	const n = 20000
	if _, err := g.Write(bytes.Repeat([]byte{0xB0, 1, 1}, n)); err != nil {
		t.Fatal(err)
	}
	for range n {
		expect(t, in, engine.ControlChange, 1, 1)
	}
	if err := raw.Send(ports[0], []byte{0x90, 36, 0}); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := g.Read(got); err != nil || got[0] != 0x90 {
		t.Errorf("the device got % X, %v", got, err)
	}
	g.Close() //nolint:errcheck // a device
	usbMIDI(t, "unplug")
	expect(t, in, engine.PortLost, 0, 0)
	if err := raw.Close(); err != nil {
		t.Error(err)
	}
	wait(t, raw.Done(), "the session's end")
}

// TestAsUser: the user in front of the seat, in no group, hears notes, the loss of the device
// and its return.
func TestAsUser(t *testing.T) {
	if os.Getenv("MIDIMON_VM_CHILD") != "" {
		follow(t)
		return
	}
	s, _ := realSession(t, 100)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAsUser$")
	cmd.Env = append(os.Environ(), "MIDIMON_VM_CHILD=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	said := func(what string) {
		t.Helper()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), what) {
			t.Fatalf("the user's process said %q, want %q", lines.Text(), what)
		}
		t.Log(lines.Text())
	}
	said("waiting")
	plug(t, s)
	said("listening")
	usbMIDI(t, "send", "90", "24", "64")
	said("note 36 100")
	usbMIDI(t, "unplug")
	said("lost")
	usbMIDI(t, "replug")
	said("listening")
	usbMIDI(t, "send", "90", "25", "14")
	said("note 37 20")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func follow(t *testing.T) {
	s, in := realSession(t, 100)
	fmt.Println("waiting as", os.Getuid())
	for range 2 {
		began := stream.Now()
		listen(t, s, found(t, s, lpd8), 1)
		fmt.Println("listening after", stream.Now()-began)
		got := expectNote(t, in)
		fmt.Println("note", got.Number, got.Value)
		if got.Number == 36 {
			expect(t, in, engine.PortLost, 0, 0)
			fmt.Println("lost")
			gone(t, s, lpd8)
		}
	}
}

func expectNote(t *testing.T, in <-chan engine.Input) engine.Input {
	t.Helper()
	got := wait(t, in, "note")
	if got.Kind != engine.NoteOn {
		t.Fatalf("got %+v, want a note", got)
	}
	return got
}

// TestLatency prints what lies between a write to the device and the input here.
func TestLatency(t *testing.T) {
	s, in := realSession(t, 100)
	p := plug(t, s)
	listen(t, s, p, 1)
	g := gadget(t)
	var took []time.Duration
	for i := range 500 {
		began := stream.Now()
		play(t, g, 0xB0, 1, byte(i&127))
		took = append(took, expect(t, in, engine.ControlChange, 1, uint16(i&127)).At-began)
	}
	slices.Sort(took)
	t.Logf("500 messages one by one: p50 %v, p99 %v", took[250], took[495])
}

func TestDeviceComesWithTheModule(t *testing.T) {
	if _, err := os.Stat("/dev/snd/seq"); err != nil {
		t.Fatal(err)
	}
	d := New(slog.New(slog.DiscardHandler), Options{Device: "/dev/snd/seq-for-test"})
	if _, err := d.Open(func(engine.Input) {}); !isFault(err, "sudo modprobe snd-seq") {
		t.Fatalf("Open = %v", err)
	}
	back := make(chan error, 1)
	go func() { back <- d.Await(t.Context()) }()
	if err := os.Symlink("seq", "/dev/snd/seq-for-test"); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/dev/snd/seq-for-test") //nolint:errcheck // the machine is thrown away
	if err := wait(t, back, "return of Await"); err != nil {
		t.Error(err)
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func TestGomidiConformanceInTheKernel(t *testing.T) {
	g := &gomidi{name: "alsaseq", ins: map[engine.Port]func(engine.Input){}}
	var err error
	if g.s, err = New(slog.New(slog.DiscardHandler), Options{Through: true, Verbatim: true}).Open(g.deliver); err != nil {
		t.Fatal(err)
	}
	defer end(t, g.s)
	conform(t, g)
}
