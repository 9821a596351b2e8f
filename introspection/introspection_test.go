package introspection

import (
	"bytes"
	"encoding/xml"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoad(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	i := all["com.amiable.Midimon1"]
	if i == nil {
		t.Fatal("the root interface is missing")
	}
	reload := i.Methods[0]
	if reload.Name != "Reload" || reload.In() != "" || reload.Out() != "ta(ssssuua{sv})" {
		t.Errorf("Reload is %+v", reload)
	}
	emits := map[string]string{}
	for _, p := range i.Properties {
		emits[p.Name] = p.Emits()
	}
	if emits["Mode"] != "true" || emits["Version"] != "const" {
		t.Errorf("emits: %v", emits)
	}
	if strings.Contains(i.XML, "<!--") || !strings.HasPrefix(i.XML, "  <interface") || !strings.HasSuffix(i.XML, "</interface>\n") {
		t.Errorf("served as %q", i.XML)
	}
	if got := (&Property{}).Emits(); got != "true" {
		t.Errorf("without annotation emits %q, the specification says true", got)
	}
}

// What the scanner reads is what a parser of all XML reads.
func TestScan(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range all {
		var node struct {
			Interfaces []Interface `xml:"interface"`
		}
		if err := xml.Unmarshal(Source(name), &node); err != nil || len(node.Interfaces) != 1 {
			t.Fatalf("%s: %v, %d interfaces", name, err, len(node.Interfaces))
		}
		want := node.Interfaces[0]
		want.XML = got.XML
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: scanned as %+v, want %+v", name, *got, want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"syntax":  `<node><interface name="a.b"></node>`,
		"begun":   `<node><interface name="a.b"/>`,
		"cut":     `<node><interface name="a.b"/></node`,
		"unknown": `<node><interface name="a.b"><arg name="a"/></interface></node>`,
		"none":    `<node/>`,
		"two":     `<node><interface name="a.b"/><interface name="a.c"/></node>`,
		"another": `<node><interface name="a.c"/></node>`,
	} {
		if _, err := load(fstest.MapFS{"a.b.xml": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Every member is preceded by a comment that begins with its name and tells of each argument.
func TestEveryMemberIsDocumented(t *testing.T) {
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, i := range all {
		text, err := fs.ReadFile(files, name+".xml")
		if err != nil {
			t.Fatal(err)
		}
		check := func(element, member string, args []Arg) {
			before, _, ok := bytes.Cut(text, []byte("<"+element+` name="`+member+`"`))
			at := bytes.LastIndex(before, []byte("<!--"))
			if !ok || at < 0 || !bytes.HasSuffix(bytes.TrimSpace(before), []byte("-->")) {
				t.Errorf("%s.%s: no comment before it", name, member)
				return
			}
			doc := string(before[at+4:])
			if !strings.HasPrefix(strings.TrimSpace(doc), member+":\n") {
				t.Errorf("%s.%s: its comment begins %.40q", name, member, doc)
			}
			for _, a := range args {
				if !strings.Contains(doc, "@"+a.Name+": ") {
					t.Errorf("%s.%s: nothing said of %s", name, member, a.Name)
				}
			}
		}
		check("interface", i.Name, nil)
		for _, p := range i.Properties {
			check("property", p.Name, nil)
			if len(p.Annotations) != 1 {
				t.Errorf("%s.%s: it must say whether it emits", name, p.Name)
			}
		}
		for _, m := range i.Methods {
			check("method", m.Name, m.Args)
		}
		for _, s := range i.Signals {
			check("signal", s.Name, s.Args)
		}
	}
}

func TestDocumentType(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatal("xmllint is missing: apt install libxml2-utils")
		}
		t.Skip("xmllint is missing")
	}
	names, err := fs.Glob(files, "*.xml")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--noout", "--nonet", "--dtdvalid", "testdata/introspect.dtd"}, names...)
	if out, err := exec.CommandContext(t.Context(), "xmllint", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Whoever writes a client in C can have it generated.
func TestCodegen(t *testing.T) {
	if _, err := exec.LookPath("gdbus-codegen"); err != nil {
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatal("gdbus-codegen is missing: apt install libglib2.0-dev-bin")
		}
		t.Skip("gdbus-codegen is missing")
	}
	names, err := fs.Glob(files, "com.amiable.*.xml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, args := range [][]string{
		{"--interface-prefix", "com.amiable.Midimon1.", "--generate-c-code", "midimon", "--c-namespace", "Midimon", "--output-directory", dir},
		{"--generate-docbook", "midimon", "--output-directory", dir},
	} {
		if out, err := exec.CommandContext(t.Context(), "gdbus-codegen", append(args, names...)...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	code, err := os.ReadFile(filepath.Join(dir, "midimon.h"))
	for _, want := range []string{"midimon_statistics_call_snapshot_sync", "midimon_device_call_send_message_sync", "_get_inhibitors"} {
		if err != nil || !bytes.Contains(code, []byte(want)) {
			t.Errorf("%s is not in the code (%v)", want, err)
		}
	}
}
