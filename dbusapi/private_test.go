package dbusapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// The tools that people have speak to the private socket as to a bus.
func TestTools(t *testing.T) {
	address := onSocket(t, newServer(t, dbustest.NewBackend()))
	root := string(RootPath)
	for _, x := range []struct {
		want string // "!" at its beginning: the tool fails
		args []string
	}{
		{"s \"Default\"", []string{"busctl", "--address=" + address, "get-property", BusName, root, BusName, "Mode"}},
		{"", []string{"busctl", "--address=" + address, "set-property", BusName, root, BusName, "Mode", "s", "Media"}},
		{"!no such mode: X", []string{"busctl", "--address=" + address, "set-property", BusName, root, BusName, "Mode", "s", "X"}},
		{"ta(ssssuua{sv}) 2 0", []string{"busctl", "--address=" + address, "call", BusName, root, BusName, "Reload"}},
		{"devices/LPD8", []string{"busctl", "--address=" + address, "tree", BusName}},
		{".ReloadFinished", []string{"busctl", "--address=" + address, "introspect", BusName, root}},
		{BusName, []string{"busctl", "--address=" + address, "list"}},
		{"(<'Media'>,)", []string{"gdbus", "call", "--address", address, "--dest", BusName, "--object-path", root, "--method", propsInterface + ".Get", BusName, "Mode"}},
		{"readwrite b Enabled = true", []string{"gdbus", "introspect", "--address", address, "--dest", BusName, "--object-path", "/", "--recurse"}},
		{"!no method \"Explode\"", []string{"gdbus", "call", "--address", address, "--dest", BusName, "--object-path", root, "--method", BusName + ".Explode"}},
		{"!org.freedesktop.DBus.Error.NameHasNoOwner: nobody has the name \"com.example.None\"", []string{
			"gdbus", "call", "--address", address, "--dest", busInterface, "--object-path", string(busPath), "--method", busInterface + ".GetNameOwner", "com.example.None",
		}},
		{"method return", []string{"dbus-send", "--peer=" + address, "--print-reply", root, BusName + ".Pause"}},
		{"string \"paused\"", []string{
			"dbus-send", "--bus=" + address, "--dest=" + BusName, "--print-reply", root, propsInterface + ".Get", "string:" + BusName, "string:State",
		}},
	} {
		dbustest.Need(t, x.args[0])
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		out, err := exec.CommandContext(ctx, x.args[0], x.args[1:]...).CombinedOutput() //nolint:gosec // the list above
		cancel()
		want, fails := strings.CutPrefix(x.want, "!")
		if fails != (err != nil) || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v, want %q\n%s", x.args, err, x.want, out)
		}
	}
}

func TestGdbusMonitor(t *testing.T) {
	dbustest.Need(t, "gdbus")
	b := dbustest.NewBackend()
	address := onSocket(t, newServer(t, b))
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "gdbus", "monitor", "--address", address, "--dest", BusName)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	seen := make(chan string, 16)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			seen <- lines.Text()
		}
	}()
	for receive(t, seen) != "The name "+BusName+" is owned by "+ourName {
	}
	// It says so before its own filter knows who that is, and drops signals till then.
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for line := ""; !strings.Contains(line, BusName+".ModeChanged ('a', 'b', 'mapping')"); {
		select {
		case line = <-seen:
		case <-tick.C:
			b.Publish(nil, report.Event{Kind: report.ModeChanged, Old: "a", New: "b", Cause: "mapping"})
		case <-deadline:
			t.Fatal("no signal")
		}
	}
}

// rawPeer is a client past its handshake that writes what it likes.
func rawPeer(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := DialSocket(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "\x00AUTH EXTERNAL 30\r\nBEGIN\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReaderSize(io.LimitReader(c, 37), 37).ReadString('\n'); err != nil || !strings.HasPrefix(line, "OK ") {
		t.Fatalf("%q, %v", line, err)
	}
	return c
}

func encode(t testing.TB, m *dbus.Message) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := m.EncodeTo(&out, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	raw := out.Bytes()
	binary.LittleEndian.PutUint32(raw[8:], 7) // the serial
	return raw
}

func ping() *dbus.Message {
	return &dbus.Message{Type: dbus.TypeMethodCall, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(RootPath), dbus.FieldInterface: dbus.MakeVariant(peerInterface),
		dbus.FieldMember: dbus.MakeVariant("Ping"),
	}}
}

// What changes while a client has not said Hello is told after the answer to it: sd-bus takes any
// other first message for a fault.
func TestNothingComesBeforeTheAnswerToHello(t *testing.T) {
	b := dbustest.NewBackend()
	c := rawPeer(t, onSocket(t, newServer(t, b)))
	for b.Subscribers() == 0 {
		time.Sleep(time.Millisecond)
	}
	b.Publish(func(s *report.Status) { s.State = report.Paused })
	hello := &dbus.Message{Type: dbus.TypeMethodCall, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(busPath), dbus.FieldInterface: dbus.MakeVariant(busInterface),
		dbus.FieldMember: dbus.MakeVariant("Hello"),
	}}
	if _, err := c.Write(encode(t, hello)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []dbus.Type{dbus.TypeMethodReply, dbus.TypeSignal} {
		if got, err := dbus.DecodeMessage(c); err != nil || got.Type != want {
			t.Fatalf("%v, %v; want a %v", got, err, want)
		}
	}
	// One that only listens hears of changes all the same.
	c = rawPeer(t, onSocket(t, newServer(t, b)))
	for b.Subscribers() < 2 {
		time.Sleep(time.Millisecond)
	}
	b.Publish(func(s *report.Status) { s.State = report.Running })
	if got, err := dbus.DecodeMessage(c); err != nil || got.Type != dbus.TypeSignal {
		t.Errorf("%v, %v; want a signal", got, err)
	}
}

// Signals and replies of a client are dropped: godbus would believe that they come from a
// bus, and end the process over a NameLost without arguments.
func TestPeerSendsNoSignals(t *testing.T) {
	c := rawPeer(t, onSocket(t, newServer(t, dbustest.NewBackend())))
	lost := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(busPath), dbus.FieldInterface: dbus.MakeVariant(busInterface),
		dbus.FieldMember: dbus.MakeVariant("NameLost"), dbus.FieldSender: dbus.MakeVariant(busInterface),
	}}
	reply := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)),
	}}
	for _, m := range []*dbus.Message{lost, reply, ping()} {
		if _, err := c.Write(encode(t, m)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := dbus.DecodeMessage(c)
	if err != nil || got.Type != dbus.TypeMethodReply || got.Headers[dbus.FieldReplySerial].Value() != uint32(7) {
		t.Fatalf("%v, %v", got, err)
	}
	if got := got.Headers[dbus.FieldSender].Value(); got != ourName {
		t.Errorf("sender is %v", got)
	}
}

// Processes of another user learn nothing, not even that this is D-Bus.
func TestOtherUser(t *testing.T) {
	s := newServer(t, dbustest.NewBackend())
	s.uid++
	c, err := DialSocket(t.Context(), onSocket(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestPeerLimits(t *testing.T) {
	address := onSocket(t, newServer(t, dbustest.NewBackend()))
	huge := encode(t, ping())
	binary.LittleEndian.PutUint32(huge[4:], maxMessage)
	wrap := encode(t, ping())
	binary.LittleEndian.PutUint32(wrap[4:], 0xffffffff)
	binary.LittleEndian.PutUint32(wrap[12:], 0xffffffff)
	for name, bytes := range map[string][]byte{
		"too large": huge, "overflow": wrap, "no D-Bus": []byte(strings.Repeat("x", 16)),
	} {
		c := rawPeer(t, address)
		if _, err := c.Write(bytes); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: %d bytes came instead of the end", name, n)
		}
	}
}

func TestTooManyPeers(t *testing.T) {
	address := onSocket(t, newServer(t, dbustest.NewBackend()))
	var last *dbus.Conn
	for range maxPeers {
		last = dialPeer(t, address)
	}
	if c, err := dbus.Connect(address); err == nil {
		_ = c.Close()
		t.Error("one more is let in")
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	steady(t, "refusals", 0, func() int {
		c, err := dbus.Connect(address)
		if err != nil {
			return 1
		}
		_ = c.Close()
		return 0
	})
}

// A client that does not read is dropped; it holds up nobody.
func TestSlowPeer(t *testing.T) {
	b := dbustest.NewBackend()
	s := newServer(t, b)
	s.writeTimeout = 100 * time.Millisecond
	address := onSocket(t, s)
	rawPeer(t, address)
	steady(t, "missing subscribers", 0, func() int { return 1 - b.Subscribers() })
	begin := time.Now()
	quick := dialPeer(t, address)
	for b.Subscribers() > 1 {
		b.Publish(func(s *report.Status) { s.ConfigStatus = strings.Repeat("x", 1000) + time.Now().String() })
		if _, err := quick.Object(BusName, RootPath).GetProperty(BusName + ".Mode"); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) > patience {
			t.Fatal("the slow client is still there")
		}
	}
}

func TestPeersLeaveNothing(t *testing.T) {
	b := dbustest.NewBackend()
	address := onSocket(t, newServer(t, b))
	visit := func() {
		c, err := dbus.Connect(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Object(BusName, RootPath).Call(peerInterface+".Ping", 0).Err; err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	visit()
	steady(t, "subscribers", 0, b.Subscribers)
	goroutines, fds := runtime.NumGoroutine(), descriptors()
	for range 100 {
		visit()
	}
	steady(t, "subscribers", 0, b.Subscribers)
	steady(t, "goroutines", goroutines, runtime.NumGoroutine)
	steady(t, "descriptors", fds, descriptors)
}

func TestHandshake(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for in, want := range map[string]string{
		"\x00AUTH\r\nAUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n": "REJECTED EXTERNAL|OK id|ERROR no file descriptors here|",
		"\x00AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n":                         "DATA|OK id|",
		"\x00AUTH EXTERNAL \r\nDATA 30\r\nBEGIN\r\n":                     "DATA|OK id|",
		"\x00AUTH ANONYMOUS\r\nAUTH EXTERNAL 30\r\nBEGIN\r\n":            "REJECTED EXTERNAL|OK id|",
		"\x00AUTH EXTERNAL 30\r\nCANCEL\r\nBEGIN\r\n":                    "OK id|REJECTED EXTERNAL|ERROR|EOF",
		"\x00DATA\r\nBEGIN\r\nHELP\r\n":                                  "ERROR|ERROR|ERROR|EOF",
		"\x00BEGIN\r\n":                                                  "ERROR|EOF",
		"AUTH\r\n":                                                       "the client does not begin with a NUL",
		"":                                                               "EOF",
		"\x00AUTH\n":                                                     "a line ends without a carriage return: \"AUTH\\n\"",
		"\x00" + long + "\r\n":                                           bufio.ErrBufferFull.Error(),
		"\x00" + strings.Repeat("AUTH\r\n", 40):                          strings.Repeat("REJECTED EXTERNAL|", 32) + "the handshake does not end",
	} {
		var out bytes.Buffer
		err := serverHandshake(bufio.NewReader(strings.NewReader(in)), &out, "id")
		got := strings.ReplaceAll(out.String(), "\r\n", "|")
		if err != nil {
			got += err.Error()
		}
		if got != want {
			t.Errorf("%.60q: %q, want %q", in, got, want)
		}
	}
}

// Whatever a client says, the handshake ends, answers line by line, and lets nobody begin
// who was not answered OK.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte("\x00AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\x01"))
	f.Add([]byte("\x00AUTH\r\nAUTH EXTERNAL 30\r\nBEGIN\r\n"))
	f.Add([]byte("\x00AUTH EXTERNAL 30\r\nCANCEL\r\nBEGIN\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		err := serverHandshake(bufio.NewReader(bytes.NewReader(in)), &out, "id")
		if n := strings.Count(out.String(), "\r\n"); n > maxAuthLines {
			t.Errorf("%d answers", n)
		}
		if err == nil && !strings.Contains(out.String(), "OK id\r\n") {
			t.Errorf("begun after %q", out.String())
		}
	})
}

// Whatever bytes a client sends after its handshake, only whole method calls of a bounded
// size reach godbus.
func FuzzPeerLink(f *testing.F) {
	signal := ping()
	signal.Type = dbus.TypeSignal
	f.Add(append(encode(f, signal), encode(f, ping())...))
	f.Add(append(encode(f, ping()), 'B', 1, 0, 1))
	f.Fuzz(func(t *testing.T, in []byte) {
		l := newPeerLink(&link{in: bufio.NewReader(bytes.NewReader(in)), calls: func(*call) {}, begun: true}, "")
		out, _ := io.ReadAll(l)
		for len(out) >= 16 {
			size, err := messageSize(out)
			if err != nil || size > maxMessage || dbus.Type(out[1]) != dbus.TypeMethodCall {
				t.Fatalf("let through: %x (%v)", out, err)
			}
			out = out[min(size, uint64(len(out))):]
		}
	})
}
