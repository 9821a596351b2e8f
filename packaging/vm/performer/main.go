//go:build linux

// Command performer hits pads, two every 10 ms, and turns a fader in between: 2,000 messages a
// second. It reads the keys that these press, which nobody else gets meanwhile. When its input ends it
// plays no more, waits until each pad has pressed a key and prints, a line each: the pad, when it was hit, the
// key's code and when it was pressed, in ns of the monotonic clock; then how many messages it sent, and how
// often it had to wait.
//
// usage: performer RAWMIDI EVENT-DEVICE FIRST-NOTE PADS
//
// It is one thread that does not tell Go's scheduler when it waits: an emulated machine would spend more on
// that than on the daemon that is measured.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	pace = 10_000_000 // ns

	// ahead is how many pads may be hit whose keys have not been seen. A reader of keys loses some
	// when the kernel has more than 64 events for it, four a pad; so long as 60 ms are enough for
	// whatever keeps the machine busy, nobody waits.
	ahead = 14

	patience = 60_000_000_000 // ns without the key of a pad that was hit
)

type moment struct {
	what int // a pad, or a key's code
	at   int64
}

type performer struct {
	out, events int
	first, pads int

	hits, keys     []moment
	waited, missed int
}

func main() {
	runtime.LockOSThread()
	p := &performer{hits: make([]moment, 0, 1<<17), keys: make([]moment, 0, 1<<17)}
	must(0, unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0))
	p.out = must(unix.Open(os.Args[1], unix.O_WRONLY, 0))
	p.events = must(unix.Open(os.Args[2], unix.O_RDONLY|unix.O_NONBLOCK, 0))
	p.first, p.pads = must(strconv.Atoi(os.Args[3])), must(strconv.Atoi(os.Args[4]))
	const grab, setClock = 0x40044590, 0x400445a0 // EVIOCGRAB, EVIOCSCLOCKID
	must(0, unix.IoctlSetInt(p.events, grab, 1))
	must(0, unix.IoctlSetPointerInt(p.events, setClock, unix.CLOCK_MONOTONIC))

	p.play()

	out := bufio.NewWriter(os.Stdout)
	for i, hit := range p.hits {
		_, _ = fmt.Fprintln(out, hit.what, hit.at, p.keys[i].what, p.keys[i].at)
	}
	_, _ = fmt.Fprintln(out, 10*len(p.hits), p.waited)
	must(0, out.Flush())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// play goes on until the input ends, and then until each pad has pressed a key. Keys carry the time at which
// they were pressed, so it is enough to read them at each beat.
func (p *performer) play() {
	const stdin = 0
	input := []unix.PollFd{{Fd: stdin, Events: unix.POLLIN}}
	next := now()
	for last := next; input[0].Fd == stdin || len(p.keys) < len(p.hits); {
		next += pace
		for wait := next - now(); wait > 0; wait = next - now() {
			due := unix.NsecToTimespec(wait)
			_, _, _ = unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&input[0])), 1, uintptr(unsafe.Pointer(&due)), 0, 0, 0)
			if input[0].Revents != 0 { // it is closed: nobody writes there
				input[0] = unix.PollFd{Fd: -1}
			}
		}
		had := len(p.keys)
		p.read()
		waiting := len(p.hits) - len(p.keys)
		if waiting == 0 || len(p.keys) > had {
			last = next
		}
		switch {
		case next-last > patience:
			panic(fmt.Sprintf("%d of %d pads pressed a key; %d times the kernel had more keys than it holds", len(p.keys), len(p.hits), p.missed))
		case waiting > ahead-2:
			p.waited++
		case input[0].Fd == stdin:
			p.hit()
		}
	}
}

// hit is what is played every 10 ms (MIDI 1.0, table 1): note on, note off, control change.
func (p *performer) hit() {
	var bytes [2*6 + 16*3]byte
	b := bytes[:0]
	for range 2 {
		pad := len(p.hits) % p.pads
		note := byte(p.first + pad)
		b = append(b, 0x90, note, 100, 0x80, note, 64)
		p.hits = append(p.hits, moment{pad, now()})
	}
	for i := range 16 {
		b = append(b, 0xb0, 30, byte(len(p.hits)+i)&127)
	}
	if n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(p.out), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b))); errno != 0 || int(n) != len(b) {
		panic(fmt.Sprintf("%d of %d bytes written: %v", n, len(b), errno))
	}
}

// read takes what keys were pressed (linux/input.h, struct input_event).
func (p *performer) read() {
	const size = 24
	var events [64 * size]byte
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(p.events), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)))
	if errno == unix.EAGAIN {
		return
	}
	if errno != 0 {
		panic(errno)
	}
	for e := events[:n]; len(e) >= size; e = e[size:] {
		sec, usec := binary.NativeEndian.Uint64(e), binary.NativeEndian.Uint64(e[8:])
		kind, code, value := binary.NativeEndian.Uint16(e[16:]), binary.NativeEndian.Uint16(e[18:]), binary.NativeEndian.Uint32(e[20:])
		switch {
		case kind == 1 && value == 1: // EV_KEY, pressed
			p.keys = append(p.keys, moment{int(code), int64(sec)*1_000_000_000 + int64(usec)*1000})
		case kind == 0 && code == 3: // EV_SYN, SYN_DROPPED
			p.missed++
		}
	}
}

var start, begun = func() (time.Time, int64) {
	var ts unix.Timespec
	must(0, unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts))
	return time.Now(), ts.Nano()
}()

// now is the monotonic clock, in ns, read without the kernel.
func now() int64 { return begun + int64(time.Since(start)) }
