//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/introspection"
)

// TestHostileCalls calls everything in the contract and much that is not, with arguments right
// and wrong, over the bus and over the private socket, and sends the socket bytes that are no
// messages. Every call has its reply, the program goes on and nothing grows.
// MIDIMON_HOSTILE_CALLS is how many (100,000), MIDIMON_HOSTILE_SEED what they are.
func TestHostileCalls(t *testing.T) {
	calls, seed := 100_000, uint64(1)
	for name, set := range map[string]func(uint64){
		"MIDIMON_HOSTILE_CALLS": func(n uint64) { calls = int(n) }, "MIDIMON_HOSTILE_SEED": func(n uint64) { seed = n },
	} {
		if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
			set(n)
		}
	}
	all, err := introspection.Load()
	if err != nil {
		t.Fatal(err)
	}
	quiet := spawn(t, stormy, "--dry-run") // until the end: what it looks for on the desktop comes when it comes
	p := spawn(t, stormy, "--dry-run", "--log-level", "error")
	h := &hostile{p: p, r: rand.New(rand.NewPCG(seed, 0)), all: all} //nolint:gosec // it is to be the same again
	for _, i := range all {
		h.names = append(h.names, i.Name)
	}
	slices.Sort(h.names)
	h.round(calls / 5) // what is needed from the first time on
	h.bytes(100)
	p.collect()
	fds := p.descriptors()
	began := time.Now()
	var memory []int
	for left := calls - calls/5; left > 0; left -= 10000 {
		h.round(min(left, 10000))
		h.bytes(40)
		memory = append(memory, p.collect())
	}
	t.Logf("%d calls with seed %d in %v: %d replies, %d errors, of them %v", h.calls, seed, time.Since(began).Round(time.Millisecond), h.calls-h.failed, h.failed, h.kinds())
	if h.calls < calls*9/10 {
		t.Errorf("%d calls were made", h.calls)
	}
	p.eventually("as many files as before", func() bool { return p.descriptors() <= fds })
	first, last := slices.Min(memory[:len(memory)/2]), slices.Min(memory[len(memory)/2:])
	t.Logf("memory in use: %d MB in the first half, %d MB in the second; %d kB in all", first, last, p.memory())
	if last > first+1 {
		t.Errorf("%d MB more in use in the second half", last-first)
	}
	idle, _ := quiet.goroutines()
	if now, text := p.goroutines(); now > idle+slack {
		t.Errorf("%d goroutines, %d in one that did nothing\n%s", now, idle, text)
	}
}

// slack is how many goroutines more one may have that was busy. A leak would have thousands.
const slack = 10

// hostile makes up calls.
type hostile struct {
	p      *process
	r      *rand.Rand
	all    map[string]*introspection.Interface
	names  []string
	calls  int
	failed int
	errors map[string]int
}

func (h *hostile) kinds() string {
	var out []string
	for name, n := range h.errors {
		out = append(out, fmt.Sprintf("%s %d", name[strings.LastIndexByte(name, '.')+1:], n))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// round makes so many calls from two new clients.
func (h *hostile) round(n int) {
	for _, c := range []*dbus.Conn{h.p.dial(), h.p.bus.Dial()} {
		h.clientOf(c, n/2)
		_ = c.Close()
	}
}

// waiting is how many calls a client leaves unanswered: fewer than are refused.
const waiting = 48

func (h *hostile) clientOf(c *dbus.Conn, n int) {
	signals := make(chan *dbus.Signal, 64)
	c.Signal(signals)
	go func() {
		for range signals {
		}
	}()
	replies := make(chan *dbus.Call, waiting)
	open := 0
	answer := func() {
		select {
		case k := <-replies:
			open--
			h.count(k.Err)
		case <-time.After(30 * time.Second):
			h.p.t.Fatalf("%d calls have no reply", open)
		}
	}
	for range n {
		if open == waiting {
			answer()
		}
		m := h.message()
		var wire bytes.Buffer
		if m.IsValid() != nil || m.EncodeTo(&wire, binary.LittleEndian) != nil || wire.Len() > 1<<20 {
			continue // that cannot be sent, or would end the connection
		}
		c.Send(m, replies)
		open++
	}
	for open > 0 {
		answer()
	}
}

func (h *hostile) count(err error) {
	h.calls++
	if err == nil {
		return
	}
	h.failed++
	e, ok := errors.AsType[dbus.Error](err)
	if !ok {
		h.p.t.Fatalf("a call ended with %v", err)
	}
	if len(e.Body) != 1 || fmt.Sprint(e.Body[0]) == "" {
		h.p.t.Errorf("%s has no text: %v", e.Name, e.Body)
	}
	if h.errors == nil {
		h.errors = map[string]int{}
	}
	h.errors[e.Name]++
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// message is a call of something by somebody who means no good.
func (h *hostile) message() *dbus.Message {
	r := h.r
	name := pick(r, h.names...)
	i := h.all[name]
	var members []introspection.Method
	members = append(members, i.Methods...)
	if len(members) == 0 {
		members = h.all["org.freedesktop.DBus.Properties"].Methods
		name = "org.freedesktop.DBus.Properties"
	}
	m := pick(r, members...)
	member, in := m.Name, m.In()
	path := pick(r, "/", string(dbusapi.RootPath), string(dbusapi.RootPath), string(dbusapi.RootPath)+"/devices", string(dbusapi.DevicePath("pads")),
		string(dbusapi.DevicePath("plug")), "/org/freedesktop/LogControl1", "/org/freedesktop/DBus", "/no/where")
	if r.IntN(5) > 0 {
		switch name {
		case dbusapi.DeviceInterface:
			path = string(dbusapi.DevicePath(pick(r, "pads", "plug")))
		case "org.freedesktop.DBus":
			path = "/org/freedesktop/DBus"
		default:
			path = string(dbusapi.RootPath)
		}
	}
	var args []any
	switch {
	case name == "org.freedesktop.DBus.Properties" && r.IntN(3) > 0:
		args = h.property(member)
	case r.IntN(2) == 0:
		in = h.signature(r.IntN(4))
		fallthrough
	default:
		for _, one := range complete(in) {
			args = append(args, h.value(one, 0))
		}
	}
	switch r.IntN(12) {
	case 0:
		member = h.word()
	case 1:
		name = h.word() + "." + h.word()
	}
	out := &dbus.Message{Type: dbus.TypeMethodCall, Body: args, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath(path)), dbus.FieldMember: dbus.MakeVariant(member),
		dbus.FieldDestination: dbus.MakeVariant(dbusapi.BusName),
	}}
	if r.IntN(10) > 0 {
		out.Headers[dbus.FieldInterface] = dbus.MakeVariant(name)
	}
	if len(args) > 0 {
		out.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(args...))
	}
	return out
}

// property is the arguments of Get, GetAll or Set for some property.
func (h *hostile) property(member string) []any {
	i := h.all[pick(h.r, h.names...)]
	name, sig := h.word(), "s"
	if len(i.Properties) > 0 {
		p := pick(h.r, i.Properties...)
		name, sig = p.Name, p.Type
	}
	if h.r.IntN(4) == 0 {
		sig = h.signature(1)
	}
	switch member {
	case "Get":
		return []any{i.Name, name}
	case "Set":
		return []any{i.Name, name, dbus.MakeVariant(h.value(complete(sig)[0], 0))}
	}
	return []any{i.Name}
}

// word is a name, sometimes a good one.
func (h *hostile) word() string {
	return pick(h.r, "One", "Two", "play", "pads", "Default", "a", "X_1", "mode", "device", "Explode", strings.Repeat("x", 200))
}

// signature is n types.
func (h *hostile) signature(n int) string {
	var out string
	for range n {
		out += h.typeOf(0)
	}
	return out
}

func (h *hostile) typeOf(depth int) string {
	if depth < 3 {
		switch h.r.IntN(8) {
		case 0:
			return "a" + h.typeOf(depth+1)
		case 1:
			return "a{" + pick(h.r, "s", "u", "o") + h.typeOf(depth+1) + "}"
		case 2:
			return "(" + h.typeOf(depth+1) + h.typeOf(depth+1) + ")"
		case 3:
			return "v"
		}
	}
	return pick(h.r, "y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g")
}

// complete takes a signature apart.
func complete(sig string) []string {
	var out []string
	for len(sig) > 0 {
		n := length(sig)
		out, sig = append(out, sig[:n]), sig[n:]
	}
	return out
}

// length is that of the first complete type.
func length(sig string) int {
	switch sig[0] {
	case 'a':
		return 1 + length(sig[1:])
	case '(', '{':
		depth := 0
		for i, c := range sig {
			switch c {
			case '(', '{':
				depth++
			case ')', '}':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	return 1
}

var basic = map[byte]reflect.Type{
	'y': reflect.TypeFor[byte](), 'b': reflect.TypeFor[bool](), 'n': reflect.TypeFor[int16](), 'q': reflect.TypeFor[uint16](),
	'i': reflect.TypeFor[int32](), 'u': reflect.TypeFor[uint32](), 'x': reflect.TypeFor[int64](), 't': reflect.TypeFor[uint64](),
	'd': reflect.TypeFor[float64](), 's': reflect.TypeFor[string](), 'o': reflect.TypeFor[dbus.ObjectPath](),
	'g': reflect.TypeFor[dbus.Signature](), 'v': reflect.TypeFor[dbus.Variant](),
}

// goType is the Go type of one complete type.
func goType(sig string) reflect.Type {
	switch {
	case strings.HasPrefix(sig, "a{"):
		parts := complete(sig[2 : len(sig)-1])
		return reflect.MapOf(goType(parts[0]), goType(parts[1]))
	case sig[0] == 'a':
		return reflect.SliceOf(goType(sig[1:]))
	case sig[0] == '(':
		var fields []reflect.StructField
		for i, part := range complete(sig[1 : len(sig)-1]) {
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: goType(part)})
		}
		return reflect.StructOf(fields)
	}
	return basic[sig[0]]
}

// value is a value of one complete type.
func (h *hostile) value(sig string, depth int) any {
	r := h.r
	switch sig[0] {
	case 'y':
		return byte(r.IntN(256))
	case 'b':
		return r.IntN(2) == 0
	case 'n':
		return int16(r.Uint64())
	case 'q':
		return uint16(r.Uint64())
	case 'i':
		return pick(r, 1, -1, int32(r.Uint64()))
	case 'u':
		return pick(r, 0, 1, 30_000, uint32(r.Uint64()))
	case 'x':
		return int64(r.Uint64())
	case 't':
		return pick(r, 0, r.Uint64())
	case 'd':
		return r.NormFloat64()
	case 's':
		if r.IntN(500) == 0 {
			return strings.Repeat("[[modes]]\n", r.IntN(100_000))
		}
		return pick(r, "", h.word(), "\u2603\u202e", "\x01", dbusapi.BusName, `[[modes]]`)
	case 'o':
		return dbus.ObjectPath(pick(r, "/", "/a/b", string(dbusapi.RootPath)))
	case 'g':
		return dbus.ParseSignatureMust(pick(r, "", "s", "a{sv}"))
	case 'v':
		inner := h.typeOf(min(depth+1, 3))
		if inner == "v" {
			inner = "s"
		}
		return dbus.MakeVariant(h.value(inner, depth+1))
	}
	v := reflect.New(goType(sig)).Elem()
	switch {
	case strings.HasPrefix(sig, "a{"):
		parts := complete(sig[2 : len(sig)-1])
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(4) {
			v.SetMapIndex(reflect.ValueOf(h.value(parts[0], depth+1)), reflect.ValueOf(h.value(parts[1], depth+1)))
		}
	case sig[0] == 'a':
		n := r.IntN(4)
		if depth == 0 && len(sig) == 2 && r.IntN(300) == 0 {
			n = r.IntN(100_000)
		}
		for range n {
			v.Set(reflect.Append(v, reflect.ValueOf(h.value(sig[1:], depth+1))))
		}
	default:
		for i, part := range complete(sig[1 : len(sig)-1]) {
			v.Field(i).Set(reflect.ValueOf(h.value(part, depth+1)))
		}
	}
	return v.Interface()
}

// bytes sends the private socket messages with bytes changed. Each has a reply, or is the end
// of its connection; text that is no UTF-8 has a reply.
func (h *hostile) bytes(n int) {
	for range n {
		var wire bytes.Buffer
		m := h.message()
		if m.EncodeTo(&wire, binary.LittleEndian) != nil {
			continue
		}
		raw := wire.Bytes()
		binary.LittleEndian.PutUint32(raw[8:], 1)
		if h.r.IntN(3) == 0 {
			raw = bytes.ReplaceAll(raw, []byte("One"), []byte("\xff\xfeO"))
		} else {
			for range 1 + h.r.IntN(4) {
				raw[h.r.IntN(len(raw))] = byte(h.r.IntN(256))
			}
		}
		h.peer(raw[:len(raw)-h.r.IntN(2)*h.r.IntN(len(raw))])
	}
}

// peer sends bytes after a handshake, and the end after them.
func (h *hostile) peer(raw []byte) {
	t := h.p.t
	c, err := net.Dial("unix", filepath.Join(h.p.dir, "midimon", "bus")) //nolint:noctx // local
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "\x00AUTH EXTERNAL 30\r\nBEGIN\r\n"); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "OK") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := c.Write(raw); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	if err := c.(*net.UnixConn).CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the connection does not end: %v", err)
	}
}
