//go:build linux

package alsaseq

import (
	"bytes"
	"fmt"
	"strings"
	"unsafe"
)

// The kernel's structures of include/uapi/sound/asequencer.h. Their sizes are part of the
// ioctl numbers, so a wrong one is refused, not misread.

// addr is struct snd_seq_addr.
type addr struct{ client, port uint8 }

func (a addr) String() string { return fmt.Sprintf("%d:%d", a.client, a.port) }

// The addresses of include/uapi/sound/asequencer.h that mean something.
var announce = addr{0, 1} // System:Announce

const (
	systemClient  = 0
	throughClient = 14  // Midi Through
	queueDirect   = 253 // deliver now, past all queues
)

// clientInfo is struct snd_seq_client_info.
type clientInfo struct {
	client      int32
	kind        int32
	name        [64]byte
	filter      uint32
	multicast   [8]byte
	events      [32]byte // bitmap of event types, if filter says so
	ports       int32
	eventLost   int32
	card        int32 // -1: no hardware
	pid         int32
	midiVersion uint32
	_           [52]byte
}

const filterEvents = 1 << 31 // SNDRV_SEQ_FILTER_USE_EVENT

// portInfo is struct snd_seq_port_info: 168 bytes, 164 where pointers are 32 bits.
type portInfo struct {
	addr
	name     [64]byte
	_        [2]byte
	caps     uint32
	kind     uint32
	channels int32
	_        [4]int32 // voices and users
	_        uintptr  // the kernel's own
	_        [63]byte
}

// SNDRV_SEQ_PORT_CAP_* and SNDRV_SEQ_PORT_TYPE_*.
const (
	capRead      = 1 << 0
	capWrite     = 1 << 1
	capSubsRead  = 1 << 5
	capSubsWrite = 1 << 6
	capNoExport  = 1 << 7
	capInactive  = 1 << 8
	capUMP       = 1 << 9 // a UMP endpoint: its groups are ports of their own

	typeGeneric     = 1 << 1
	typeHardware    = 1 << 16
	typeApplication = 1 << 20
)

// subscription is struct snd_seq_port_subscribe.
type subscription struct {
	sender, dest addr
	voices       uint32
	flags        uint32
	queue        uint8
	_            [67]byte
}

// pool is struct snd_seq_client_pool.
type pool struct {
	client, output, input, room, outFree, inFree int32
	_                                            [64]byte
}

// inputPool is how many events wait for us at most: the most that the kernel grants
// (SNDRV_SEQ_MAX_CLIENT_EVENTS). The default of 200 a single SysEx may overflow.
const inputPool = 2000

const (
	read, write = 2 << 30, 1 << 30 // _IOR and _IOW

	ioClientID    = read | 4<<16 | 'S'<<8 | 0x01
	ioGetClient   = read | write | unsafe.Sizeof(clientInfo{})<<16 | 'S'<<8 | 0x10
	ioSetClient   = write | unsafe.Sizeof(clientInfo{})<<16 | 'S'<<8 | 0x11
	ioCreatePort  = read | write | unsafe.Sizeof(portInfo{})<<16 | 'S'<<8 | 0x20
	ioGetPort     = read | write | unsafe.Sizeof(portInfo{})<<16 | 'S'<<8 | 0x22
	ioSubscribe   = write | unsafe.Sizeof(subscription{})<<16 | 'S'<<8 | 0x30
	ioUnsubscribe = write | unsafe.Sizeof(subscription{})<<16 | 'S'<<8 | 0x31
	ioGetPool     = read | write | unsafe.Sizeof(pool{})<<16 | 'S'<<8 | 0x4b
	ioSetPool     = write | unsafe.Sizeof(pool{})<<16 | 'S'<<8 | 0x4c
	ioSubscribed  = read | write | unsafe.Sizeof(subscription{})<<16 | 'S'<<8 | 0x50
	ioNextClient  = read | write | unsafe.Sizeof(clientInfo{})<<16 | 'S'<<8 | 0x51
	ioNextPort    = read | write | unsafe.Sizeof(portInfo{})<<16 | 'S'<<8 | 0x52
)

// text is a name in the kernel's fixed field. Devices write what they like there; the bus
// and the configuration know UTF-8 only.
func text(field []byte) string {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		field = field[:i]
	}
	return strings.ToValidUTF8(string(field), "\uFFFD")
}
