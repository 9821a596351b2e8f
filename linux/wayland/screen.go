//go:build linux

package wayland

import "sync"

const (
	outputInterface    = "wl_output"
	xdgOutputInterface = "zxdg_output_manager_v1"

	outputGeometry = 0
	outputMode     = 1
	outputScale    = 3
	modeCurrent    = 1

	managerGetXdgOutput = 1
	xdgLogicalPosition  = 0
	xdgLogicalSize      = 1
)

// A Screen is all outputs of a compositor, as one. It follows what comes and goes.
type Screen struct {
	conn *Conn

	mu      sync.Mutex
	outputs map[uint32]*output // by the number of the global
	manager uint32             // of xdg outputs; 0: there is none
}

// output is where an output is, in pixels as programs see them.
type output struct {
	x, y, width, height int32 // as it says itself
	scale               int32
	logical             *[4]int32 // as the compositor lays it out, if it says so
}

// NewScreen watches the outputs. The connection has no other watcher.
func NewScreen(c *Conn) (*Screen, error) {
	s := &Screen{conn: c, outputs: map[uint32]*output{}}
	if g, ok := c.Find(xdgOutputInterface); ok {
		id, err := c.Bind(g, 2, nil)
		if err != nil {
			return nil, err
		}
		s.manager = id
	}
	c.Watch(s.announced)
	return s, nil
}

func (s *Screen) announced(g Global, there bool) {
	if g.Interface != outputInterface {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !there {
		delete(s.outputs, g.Name)
		return
	}
	if s.outputs[g.Name] != nil {
		return // it came while we began to watch
	}
	o := &output{scale: 1}
	s.outputs[g.Name] = o
	id, err := s.conn.Bind(g, 2, s.locked(func(opcode uint16, a *Args) { o.event(opcode, a) }))
	if err != nil || s.manager == 0 {
		return // a connection that has ended says so elsewhere
	}
	logical := [4]int32{}
	_, _ = s.conn.Create(s.locked(func(opcode uint16, a *Args) {
		switch opcode {
		case xdgLogicalPosition:
			logical[0], logical[1] = a.Int(), a.Int()
		case xdgLogicalSize:
			logical[2], logical[3] = a.Int(), a.Int()
			o.logical = &logical
		}
	}), func(xdg uint32) []byte { return Append(nil, s.manager, managerGetXdgOutput, xdg, id) })
}

func (s *Screen) locked(h Handler) Handler {
	return func(opcode uint16, a *Args) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h(opcode, a)
	}
}

func (o *output) event(opcode uint16, a *Args) {
	switch opcode {
	case outputGeometry:
		o.x, o.y = a.Int(), a.Int()
	case outputMode:
		if flags, w, h := a.Uint(), a.Int(), a.Int(); flags&modeCurrent != 0 {
			o.width, o.height = w, h
		}
	case outputScale:
		o.scale = max(1, a.Int())
	}
}

// Size is how wide and high all outputs are together, in pixels; 0 if none says it.
func (s *Screen) Size() (width, height int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left, top, right, bottom int32
	first := true
	for _, o := range s.outputs {
		x, y, w, h := o.x, o.y, o.width/o.scale, o.height/o.scale
		if o.logical != nil {
			x, y, w, h = o.logical[0], o.logical[1], o.logical[2], o.logical[3]
		}
		if w <= 0 || h <= 0 {
			continue
		}
		if first {
			left, top, right, bottom = x, y, x+w, y+h
			first = false
		}
		left, top, right, bottom = min(left, x), min(top, y), max(right, x+w), max(bottom, y+h)
	}
	return right - left, bottom - top
}
