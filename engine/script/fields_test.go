package script_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/amiable-dev/midimon/engine/config"
)

// TestEveryField: each field of each trigger and action, and of mappings and modes, is set in some
// script. Other spellings of one are for the tests of package config.
func TestEveryField(t *testing.T) {
	set := map[string]bool{}
	err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".txtar" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, file := range strings.Split("\n"+string(text), "\n-- ")[1:] {
			name, body, _ := strings.Cut(file, " --\n")
			var tree map[string]any
			if !strings.HasSuffix(name, ".toml") {
				continue
			}
			if err := toml.Unmarshal([]byte(body), &tree); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			note(set, "", tree)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := fieldsOf(t)
	if len(all) < 150 {
		t.Errorf("%d fields", len(all))
	}
	for _, name := range all {
		if !set[name] {
			t.Errorf("no script sets %s", name)
		}
	}
}

// whose are the definitions that the values of keys follow.
var whose = map[string]string{
	"trigger": "trigger", "action": "action", "actions": "action", "on": "action", "off": "action", "then_action": "action", "else_action": "action",
	"enter": "action", "exit": "action", "modes": "mode", "mappings": "mapping", "global_mappings": "mapping",
}

// note notes the fields that are set in what a key has, and in what is in it.
func note(set map[string]bool, key string, v any) {
	switch v := v.(type) {
	case []map[string]any:
		for _, x := range v {
			note(set, key, x)
		}
	case []any:
		for _, x := range v {
			note(set, key, x)
		}
	case map[string]any:
		name := whose[key]
		if kind, ok := v["type"].(string); ok && (name == "trigger" || name == "action") {
			name += " " + kind
		}
		for k, x := range v {
			set[name+" "+k] = true
			note(set, k, x)
		}
	}
}

// fieldsOf are all there are, but for other spellings.
func fieldsOf(t *testing.T) []string {
	t.Helper()
	type table struct {
		Title      string
		Properties map[string]struct{ Description string }
		OneOf      []table
	}
	var schema struct {
		Defs map[string]table `json:"definitions"`
	}
	if err := json.Unmarshal(config.JSONSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, name := range []string{"trigger", "action", "mapping", "mode"} {
		def := schema.Defs[name]
		for _, x := range append(def.OneOf, def) {
			if x.Title == "Not supported yet" {
				continue
			}
			for field, is := range x.Properties {
				if !strings.HasPrefix(is.Description, "The same as ") {
					all[strings.TrimSpace(name+" "+x.Title)+" "+field] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
