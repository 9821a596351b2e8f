package engine

// pool is places that are used again. What gives a place back keeps its generation, so that
// a ref to what stood there before is no longer good.
type pool[T any] struct {
	all  []T
	free []int32
}

// take finds a place. It moves the others when there is none.
func (p *pool[T]) take() int32 {
	if n := len(p.free); n > 0 {
		id := p.free[n-1]
		p.free = p.free[:n-1]
		return id
	}
	var none T
	p.all = append(p.all, none)
	return int32(len(p.all)) - 1
}

func (p *pool[T]) give(id int32) { p.free = append(p.free, id) }

// ref points at a press, hold or run and knows when that is no longer the one it meant.
type ref struct {
	index int32
	gen   uint32
}

var none = ref{index: -1}
