package engine

type table struct{}

// Compile builds the lookup. It returns the mappings that can never act.
func (p *Program) Compile() []Covered { return nil }
