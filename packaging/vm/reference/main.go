//go:build linux

// Command reference is the least that turns notes into keys: it reads a sequencer port and
// writes Ctrl+Shift+T, down at each note on and up at each note off, as the daemon does for
// one mapping. What midimon costs on top of it is midimon's own.
//
// usage: reference CLIENT PORT
package main

import (
	"encoding/binary"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	client, _ := strconv.Atoi(os.Args[1])
	port, _ := strconv.Atoi(os.Args[2])
	seq, keyboard := open("/dev/snd/seq", os.O_RDWR), open("/dev/uinput", os.O_WRONLY)

	// sound/asequencer.h: CLIENT_ID, SET_CLIENT_POOL, CREATE_PORT, SUBSCRIBE_PORT
	var id int32
	ioctl(seq, 0x80045301, unsafe.Pointer(&id))
	pool := [22]int32{id, 500, 2000}
	ioctl(seq, 0x4058534c, unsafe.Pointer(&pool))
	var info [168]byte
	info[0] = byte(id)
	binary.NativeEndian.PutUint32(info[68:], 1<<1|1<<6|1<<7) // write, subscribe, no export
	binary.NativeEndian.PutUint32(info[72:], 1<<1)
	ioctl(seq, 0xc0a85320, unsafe.Pointer(&info))
	subscription := [80]byte{byte(client), byte(port), byte(id), info[1]}
	ioctl(seq, 0x40505330, unsafe.Pointer(&subscription))

	// linux/uinput.h: SET_EVBIT, SET_KEYBIT, DEV_SETUP, DEV_CREATE
	keys := []uint16{29, 42, 20}
	value(keyboard, 0x40045564, 0x01)
	value(keyboard, 0x40045564, 0x14) // repeat, and a whole keyboard: the kernel's work is the same
	for key := range 112 {
		value(keyboard, 0x40045565, key)
	}
	setup := [92]byte{0: 0x06, 2: 0x09, 3: 0x12}
	copy(setup[8:], "reference keyboard")
	ioctl(keyboard, 0x405c5503, unsafe.Pointer(&setup))
	value(keyboard, 0x5501, 0)

	events, frame := make([]byte, 64<<10), [48]byte{16: 1}
	for {
		n, err := seq.Read(events)
		check(err)
		for ev := events[:n]; len(ev) >= 28; ev = ev[28:] {
			if ev[0] != 6 && ev[0] != 7 { // note on, note off
				continue
			}
			down := byte(0)
			if ev[0] == 6 && ev[18] > 0 {
				down = 1
			}
			for i := range keys {
				key := keys[i]
				if down == 0 {
					key = keys[len(keys)-1-i]
				}
				frame[18], frame[20] = byte(key), down
				_, err := keyboard.Write(frame[:])
				check(err)
			}
		}
	}
}

func open(path string, mode int) *os.File {
	f, err := os.OpenFile(path, mode|syscall.O_NONBLOCK, 0)
	check(err)
	return f
}

func ioctl(f *os.File, op uintptr, arg unsafe.Pointer) {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), op, uintptr(arg)); e != 0 {
		check(e)
	}
}

func value(f *os.File, op uint, arg int) { check(unix.IoctlSetInt(int(f.Fd()), op, arg)) }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
