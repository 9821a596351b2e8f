package dbusapi

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/introspection"
)

// Options are what a Server needs.
type Options struct {
	Backend Backend
	Log     *slog.Logger
	Level   *slog.LevelVar // what org.freedesktop.LogControl1 changes; nil: not offered
}

// A Server serves the objects on the session bus (KeepBus) and on a private socket
// (ServePrivate). Both may be used at once, each once.
type Server struct {
	backend Backend
	log     *slog.Logger
	level   *slog.LevelVar
	guid    string // names the private bus
	uid     int    // whose processes may use it

	connections atomic.Uint64 // so far
	greeted     chan greeting // what Greet began; nil: nothing, or it is taken

	ifaces struct {
		root, mappings, monitor, statistics, device, manager, props, introspect, peer, driver, log *iface
		all                                                                                        map[string]*iface
	}

	// How long a call, a write and the way to a connection may take.
	callTimeout, writeTimeout, dialTimeout time.Duration
}

// New checks the objects against the contract. An error is a fault of the program.
func New(o Options) (*Server, error) {
	specs, err := introspection.Load()
	if err != nil {
		return nil, fmt.Errorf("cannot read the bus contract: %w", err)
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("cannot name the private bus: %w", err)
	}
	s := &Server{
		backend: o.Backend, log: o.Log, level: o.Level, guid: hex.EncodeToString(id[:]), uid: os.Getuid(),
		callTimeout: 20 * time.Second, // below the 25 s for which clients wait
		// What does not read for this long is gone or wedged.
		writeTimeout: 5 * time.Second,
		dialTimeout:  time.Second,
	}
	if s.level == nil {
		delete(specs, logInterface)
	}
	if err := s.export(specs); err != nil {
		return nil, err
	}
	return s, nil
}

// export makes the tables and checks each; what has no table must not be in specs.
func (s *Server) export(specs map[string]*introspection.Interface) error {
	i := &s.ifaces
	i.mappings, i.monitor, i.statistics = s.mappings(), s.monitor(), s.statistics()
	i.root, i.device, i.manager, i.props = s.root(), s.device(), s.objectManager(), s.properties()
	i.introspect, i.peer, i.driver = s.introspectable(), s.peer(), s.driver()
	tables := map[string]*iface{
		BusName: i.root, MappingsInterface: i.mappings, MonitorInterface: i.monitor, StatisticsInterface: i.statistics, DeviceInterface: i.device, objectManager: i.manager, propsInterface: i.props,
		introspectable: i.introspect, peerInterface: i.peer, busInterface: i.driver,
	}
	if s.level != nil {
		i.log = s.logControl()
		tables[logInterface] = i.log
	}
	if len(specs) != len(tables) {
		return fmt.Errorf("cannot export: %d interfaces in Go, %d in XML", len(tables), len(specs))
	}
	i.all = tables
	for name, table := range tables {
		if table.spec = specs[name]; table.spec == nil {
			return fmt.Errorf("cannot export %s: it has no XML", name)
		}
		if err := table.check(); err != nil {
			return err
		}
	}
	return nil
}
