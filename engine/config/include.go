package config

import (
	"bytes"
	"path"
	"slices"
	"unsafe"
)

// The bounds of what a configuration includes.
const (
	maxIncludes     = 8  // how deep
	maxIncludeFiles = 64 // all in all
)

// includes follows what files include.
type includes struct {
	*problems
	open  Open
	files []*tree
	names []string // of the files, as they were opened
}

// readFiles reads a file and all that it includes, each into a tree: it comes first, and each
// file before those that it includes. What is included twice is read once.
func readFiles(p *problems, file string, src []byte, open Open) []*tree {
	x := &includes{problems: p, open: open}
	x.read(file, src, []string{path.Clean(file)})
	return x.files
}

// read reads one file. Within are the files that lead to it, and itself last.
func (x *includes) read(file string, src []byte, within []string) {
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	large := len(src) > MaxSize
	if large {
		src = nil
	}
	t := newTree(x.problems, file, taken(src))
	t.number = len(x.files)
	x.files = append(x.files, t)
	x.names = append(x.names, within[len(within)-1])
	if large {
		t.report(fault{code: TooLarge}, "more than %d bytes", MaxSize)
		return
	}
	t.parse(src)
	id := t.find(0, "include")
	if id == 0 {
		return
	}
	r := &reader{tree: t}
	if !r.is(id, arrayNode) {
		return
	}
	for c := t.first(id); c != 0; c = t.nodes[c].next {
		if name, ok := r.word(c); ok {
			x.follow(t, c, name, within)
		}
	}
}

// taken is the text of bytes that nobody changes any more. A copy would be a fifth of all memory
// that reading a file takes.
func taken(src []byte) string {
	return unsafe.String(unsafe.SliceData(src), len(src))
}

// follow reads the file of that name, which stands at a node of t.
func (x *includes) follow(t *tree, at int32, name string, within []string) {
	file := name
	if !path.IsAbs(name) {
		file = path.Join(path.Dir(t.file), name)
	}
	f := fault{off: t.nodes[at].off, node: at}
	switch clean := path.Clean(file); {
	case x.open == nil:
		f.code, f.warn = IncludeNotFollowed, true
		t.report(f, "files are not opened here: what %s says is not known", name)
	case slices.Contains(within, clean):
		f.code = IncludeCycle
		t.report(f, "%s includes itself, in the end", name)
	case len(within) > maxIncludes:
		f.code = TooDeep
		t.report(f, "files are included more than %d deep", maxIncludes)
	case slices.Contains(x.names, clean):
	case len(x.files) > maxIncludeFiles:
		f.code = TooMany
		t.report(f, "more than %d files are included", maxIncludeFiles)
	default:
		src, err := x.open(file)
		if err != nil {
			f.code = IncludeUnreadable
			t.report(f, "%s: %v", file, err)
			return
		}
		x.read(file, src, append(slices.Clone(within), clean))
	}
}
