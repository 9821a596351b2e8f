package script

import (
	"bytes"
	"strings"
)

// file is one of an archive. The library's reader panics on a line "-- --", knows no line
// numbers and brings the file system with it; the format is small.
type file struct {
	name string
	data []byte // ends with a newline unless empty
	line int    // of its marker, from 1
}

// unpack splits an archive into its comment and files. Every text is an archive.
func unpack(text []byte) (comment []byte, files []file) {
	data, n := &comment, 0
	for line := range bytes.Lines(text) {
		n++
		if name, ok := marker(line); ok {
			files = append(files, file{name: name, line: n})
			data = &files[len(files)-1].data
			continue
		}
		*data = append(*data, line...)
	}
	comment = ended(comment)
	for i := range files {
		files[i].data = ended(files[i].data)
	}
	return comment, files
}

// marker is the name in a line "-- name --".
func marker(line []byte) (string, bool) {
	s, ok := strings.CutPrefix(strings.TrimRight(string(line), "\r\n"), "-- ")
	if !ok {
		return "", false
	}
	s, ok = strings.CutSuffix(s, " --")
	s = strings.TrimSpace(s)
	return s, ok && s != ""
}

// ended is a text whose last line has its end.
func ended(text []byte) []byte {
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return text
}

func pack(comment []byte, files []file) []byte {
	b := ended(bytes.Clone(comment))
	for _, f := range files {
		b = append(append(append(b, "-- "...), f.name...), " --\n"...)
		b = ended(append(b, f.data...))
	}
	return b
}
