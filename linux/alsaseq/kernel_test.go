//go:build linux

package alsaseq

import (
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is a sequencer that is not there: as much of the real one as a session can tell
// apart from it.
type kernel struct {
	mu      sync.Mutex
	clients map[uint8]*fakeClient
	subs    map[[2]addr]bool
	held    map[addr]bool   // by a program that uses the raw device
	sent    map[addr][]byte // records written to ports of nobody
	refuse  error           // what open says, if anything
	refused map[uintptr]error
}

type fakeClient struct {
	info  clientInfo
	ports []portInfo
	dev   *fakeDevice // nil: a client of the kernel
}

// fakeDevice is an open file. A queue that outgrows its pool is thrown away.
type fakeDevice struct {
	k      *kernel
	id     uint8
	more   *sync.Cond
	queue  [][]byte
	pool   int32
	fail   error // what the next Read returns
	closed bool
}

func newKernel() *kernel {
	k := &kernel{
		clients: map[uint8]*fakeClient{}, subs: map[[2]addr]bool{}, held: map[addr]bool{},
		sent: map[addr][]byte{}, refused: map[uintptr]error{},
	}
	k.plug(systemClient, "System", -1, portInfo{caps: capRead}, portInfo{caps: capRead | capSubsRead})
	k.plug(throughClient, "Midi Through", -1, duplex)
	return k
}

var duplex = portInfo{caps: capRead | capWrite | capSubsRead | capSubsWrite}

// plug makes a client of the kernel with its ports appear.
func (k *kernel) plug(id uint8, name string, card int32, ports ...portInfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := &fakeClient{info: clientInfo{client: int32(id), card: card}}
	copy(c.info.name[:], name)
	k.clients[id] = c
	k.announce(evClientStart, addr{id, 0})
	for i, p := range ports {
		p.addr = addr{id, uint8(i)}
		copy(p.name[:], name+" MIDI")
		c.ports = append(c.ports, p)
		k.announce(evPortStart, p.addr)
	}
}

// unplug takes a client away, in the order in which the kernel does.
func (k *kernel) unplug(id uint8) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.remove(id)
}

func (k *kernel) remove(id uint8) {
	c := k.clients[id]
	for _, p := range c.ports {
		for sub := range k.subs {
			switch p.addr {
			case sub[0]:
				k.disconnect(sub, sub[1])
			case sub[1]:
				k.disconnect(sub, sub[0])
			}
		}
		k.announce(evPortExit, p.addr)
	}
	delete(k.clients, id)
	k.announce(evClientExit, addr{id, 0})
}

// disconnect ends a subscription and tells the side that did not ask for it.
func (k *kernel) disconnect(sub [2]addr, told addr) {
	delete(k.subs, sub)
	k.deliver(told.client, rec(evUnsubscribed, announce, sub[0].client, sub[0].port, sub[1].client, sub[1].port))
}

func (k *kernel) announce(kind byte, a addr) {
	k.spread(announce, rec(kind, announce, a.client, a.port))
}

// play makes a port send a record to whoever listens.
func (k *kernel) play(records ...[]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range records {
		k.spread(addr{r[12], r[13]}, r)
	}
}

func (k *kernel) spread(from addr, r []byte) {
	for sub := range k.subs {
		if sub[0] == from {
			k.deliver(sub[1].client, r)
		}
	}
}

func (k *kernel) deliver(to uint8, r []byte) {
	c := k.clients[to]
	if c == nil || c.dev == nil || c.info.filter&filterEvents != 0 && c.info.events[r[0]/8]&(1<<(r[0]%8)) == 0 {
		return
	}
	d := c.dev
	if len(d.queue) >= int(d.pool) {
		d.fail = unix.ENOSPC
	}
	if d.fail == unix.ENOSPC { //nolint:errorlint // a plain number, as the kernel's
		d.queue = nil
	} else {
		d.queue = append(d.queue, r)
	}
	d.more.Signal()
}

// fail makes the next read of every client fail.
func (k *kernel) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.clients {
		if c.dev != nil {
			c.dev.fail = err
			c.dev.more.Signal()
		}
	}
}

func (k *kernel) open(path string) (device, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: k.refuse}
	}
	id := uint8(128)
	for k.clients[id] != nil {
		id++
	}
	d := &fakeDevice{k: k, id: id, more: sync.NewCond(&k.mu), pool: 200}
	k.clients[id] = &fakeClient{info: clientInfo{client: int32(id), card: -1}, dev: d}
	k.announce(evClientStart, addr{id, 0})
	return d, nil
}

// users counts the open devices.
func (k *kernel) users() (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.clients {
		if c.dev != nil {
			n++
		}
	}
	return n
}

func (d *fakeDevice) Read(b []byte) (int, error) {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	for !d.closed && d.fail == nil && len(d.queue) == 0 {
		d.more.Wait()
	}
	if d.closed {
		return 0, os.ErrClosed
	}
	if err := d.fail; err != nil {
		d.fail = nil
		return 0, &os.PathError{Op: "read", Path: "/dev/snd/seq", Err: err}
	}
	n := 0
	for len(d.queue) > 0 && n+len(d.queue[0]) <= len(b) {
		n += copy(b[n:], d.queue[0])
		d.queue = d.queue[1:]
	}
	return n, nil
}

// Write takes records whose variable part is not padded.
func (d *fakeDevice) Write(b []byte) (int, error) {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	for rest := b; len(rest) > 0; {
		padded := append(append([]byte(nil), rest...), make([]byte, recordSize)...)
		r, _, _ := next(padded)
		n := recordSize + len(r.ext)
		to := addr{rest[14], rest[15]}
		switch {
		case d.k.held[to]:
			return 0, unix.ENOMEM
		case d.k.clients[to.client] == nil:
			return 0, unix.ENOENT
		case to.client == throughClient:
			echo := append([]byte(nil), padded[:recordSize+(len(r.ext)+recordSize-1)/recordSize*recordSize]...)
			echo[12], echo[13] = to.client, to.port
			d.k.spread(to, echo)
		default:
			d.k.sent[to] = append(d.k.sent[to], rest[:n]...)
		}
		rest = rest[n:]
	}
	return len(b), nil
}

func (d *fakeDevice) Close() error {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if d.closed {
		return os.ErrClosed
	}
	d.closed = true
	d.more.Signal()
	d.k.remove(d.id)
	return nil
}

func (d *fakeDevice) ioctl(request uintptr, arg unsafe.Pointer) error {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if d.closed {
		return os.ErrClosed
	}
	if err := d.k.refused[request]; err != nil {
		return err
	}
	return d.call(request, arg)
}

func (d *fakeDevice) call(request uintptr, arg unsafe.Pointer) error {
	switch request {
	case ioClientID:
		*(*int32)(arg) = int32(d.id)
	case ioGetClient:
		info := (*clientInfo)(arg)
		c := d.k.clients[uint8(info.client)]
		if c == nil {
			return unix.ENOENT
		}
		*info = c.info
	case ioSetClient:
		d.k.clients[d.id].info = *(*clientInfo)(arg)
	case ioGetPool:
		(*pool)(arg).input = d.pool
	case ioSetPool:
		d.pool = (*pool)(arg).input
	case ioCreatePort:
		info, c := (*portInfo)(arg), d.k.clients[d.id]
		info.port = uint8(len(c.ports))
		c.ports = append(c.ports, *info)
		d.k.announce(evPortStart, info.addr)
	case ioGetPort:
		return d.nextPort((*portInfo)(arg), 0)
	case ioNextPort:
		return d.nextPort((*portInfo)(arg), 1)
	case ioNextClient:
		info := (*clientInfo)(arg)
		for id := info.client + 1; id < 256; id++ {
			if c := d.k.clients[uint8(id)]; c != nil {
				*info = c.info
				return nil
			}
		}
		return unix.ENOENT
	default:
		sub := (*subscription)(arg)
		return d.subscription(request, [2]addr{sub.sender, sub.dest})
	}
	return nil
}

func (d *fakeDevice) nextPort(info *portInfo, step uint8) error {
	if c := d.k.clients[info.client]; c != nil && int(info.port+step) < len(c.ports) {
		*info = c.ports[info.port+step]
		return nil
	}
	return unix.ENOENT
}

func (d *fakeDevice) subscription(request uintptr, sub [2]addr) error {
	there := d.k.subs[sub]
	switch {
	case d.k.clients[sub[0].client] == nil, d.k.clients[sub[1].client] == nil:
		return unix.EINVAL
	case request == ioSubscribe && there:
		return unix.EBUSY
	case request == ioSubscribe && (d.k.held[sub[0]] || d.k.held[sub[1]]):
		return unix.EAGAIN
	case request == ioSubscribe:
		d.k.subs[sub] = true
	case !there:
		return unix.ENOENT
	case request == ioUnsubscribe:
		delete(d.k.subs, sub)
	}
	return nil
}
