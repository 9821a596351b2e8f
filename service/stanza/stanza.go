// Package stanza writes a mapping into the user's configuration, for programs that make one:
// the file stays as it is but for that mapping, and is whole whatever happens meanwhile. What
// a mapping means is decided elsewhere.
package stanza

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/service/reload"
	"github.com/amiable-dev/midimon/service/state"
)

// Backup is what is put behind a file's name for what it was before.
const Backup = ".before"

// Mapping is what a mapping says, by its keys: texts, numbers, booleans, and lists and tables
// ([]any, map[string]any) of those.
type Mapping map[string]any

// Append writes a mapping behind those of a mode of the configuration at path, or behind the
// global ones where mode is empty. What the file was is kept beside it. Errors say why it
// stays as it is: it cannot be read or trusted, has errors, or is being written by somebody.
func Append(path, mode string, m Mapping, guard reload.Guard) error {
	return write(path, guard, func(src []byte, open config.Open) ([]byte, error) {
		pairs, err := encode(m)
		if err != nil {
			return nil, err
		}
		return config.Append(path, src, open, mode, pairs)
	})
}

// Replace is Append, but in the place of the mapping with that id.
func Replace(path, id string, m Mapping, guard reload.Guard) error {
	return write(path, guard, func(src []byte, open config.Open) ([]byte, error) {
		pairs, err := encode(m)
		if err != nil {
			return nil, err
		}
		return config.Replace(path, src, open, id, pairs)
	})
}

// write changes a file. Links to it stay links.
func write(path string, guard reload.Guard, change func(src []byte, open config.Open) ([]byte, error)) error {
	fail := func(err error) error { return fmt.Errorf("cannot write %s: %w", path, err) }
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fail(err)
	}
	f, err := reload.Take(path, guard)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	next, err := change(f.Text, f.Open)
	if err != nil {
		return fail(err)
	}
	state.Clean(real) // what was left of an earlier attempt
	info, err := os.Stat(real)
	if err == nil {
		err = state.Write(real+Backup, f.Text, info.Mode().Perm())
	}
	if err != nil {
		return fail(err)
	}
	if !f.Same() {
		return fail(errors.New("somebody else changed it meanwhile"))
	}
	if err := state.Write(real, next, info.Mode().Perm()); err != nil {
		return fail(err)
	}
	return nil
}

// order is in which order a mapping says what it says; the rest follows by name.
var order = []string{"type", "name", "description", "enabled", "eager", "when", "when_locked", "max_rate", "trigger", "action"}

func encode(m Mapping) ([]config.Pair, error) {
	var pairs []config.Pair
	for _, key := range keys(m) {
		name, value, err := pair(key, m[key])
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, config.Pair{Key: name, Value: value})
	}
	return pairs, nil
}

func keys(m map[string]any) []string {
	var out []string
	for key := range m {
		out = append(out, key)
	}
	rank := func(key string) int {
		if i := slices.Index(order, key); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return out
}

// pair is a key and its value on one line. Tables are written in braces, as people write them.
func pair(key string, v any) (name, value string, err error) {
	switch v := v.(type) {
	case map[string]any:
		var all []string
		for _, k := range keys(v) {
			n, s, err := pair(k, v[k])
			if err != nil {
				return "", "", err
			}
			all = append(all, n+" = "+s)
		}
		value = "{ " + strings.Join(all, ", ") + " }"
	case []any:
		var all []string
		for _, x := range v {
			_, s, err := pair("x", x)
			if err != nil {
				return "", "", err
			}
			all = append(all, s)
		}
		value = "[" + strings.Join(all, ", ") + "]"
	}
	if name, err = line(map[string]any{key: 0}, "", " = 0"); err == nil && value == "" {
		value, err = line(map[string]any{"x": v}, "x = ", "")
	}
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", key, err)
	}
	return name, value, nil
}

// line is the one line that a table takes, without what is around what is sought.
func line(table map[string]any, before, after string) (string, error) {
	text, err := toml.Marshal(table)
	if err != nil {
		return "", err
	}
	s, ok := strings.CutPrefix(strings.TrimSuffix(string(text), after+"\n"), before)
	if !ok || strings.Contains(s, "\n") {
		return "", fmt.Errorf("%v is no value of a mapping", table)
	}
	return s, nil
}
