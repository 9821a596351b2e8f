package script

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// The names of the files in an archive.
const (
	ConfigFile = "config.toml"
	EventsFile = "events"
	ExpectFile = "expect"
)

// ErrByHand says that an expectation is not to be overwritten.
var ErrByHand = errors.New("the expectation is marked # hand")

// Performance is what a user plays and what should come of it.
type Performance struct {
	Name    string // what errors call it
	Comment string // what the archive begins with
	Configs []Config
	Events  []Event
	Expect  []string // canonical: one effect each, without comments
}

// Config is a configuration of a performance.
type Config struct {
	Name     string
	Text     []byte
	Program  *engine.Program
	Warnings []report.Diagnostic
}

// ByHand says whether the expectation was written by hand.
func (p *Performance) ByHand() bool {
	for line := range strings.Lines(p.Comment) {
		if strings.TrimSpace(line) == "# hand" {
			return true
		}
	}
	return false
}

// Add adds a configuration under the name by which events know it. Line is the one of the
// archive before its text, 0 if it stands elsewhere.
func (p *Performance) Add(name string, text []byte, line int) error {
	if p.find(name) != nil {
		return fmt.Errorf("there are two files %q", name)
	}
	file := name
	if line > 0 {
		file = p.Name
	}
	prog, diagnostics := config.Load(file, text)
	if prog != nil {
		p.Configs = append(p.Configs, Config{name, text, prog, diagnostics})
		return nil
	}
	var all []error
	for _, d := range diagnostics {
		if d.Severity == report.Error {
			all = append(all, fmt.Errorf("%s:%d:%d: %s", file, line+d.Line, d.Column, d.Message))
		}
	}
	return errors.Join(all...)
}

func (p *Performance) find(name string) *Config {
	for i := range p.Configs {
		if p.Configs[i].Name == name {
			return &p.Configs[i]
		}
	}
	return nil
}

// Format is the text of the performance. Parsing it gives an equal one; comments among the
// events and effects are not kept.
func (p *Performance) Format() []byte {
	var files []file
	for _, c := range p.Configs {
		files = append(files, file{name: c.Name, data: c.Text})
	}
	var events []byte
	for i := range p.Events {
		events = append(p.Events[i].append(events), '\n')
	}
	files = append(files, file{name: EventsFile, data: events}, file{name: ExpectFile, data: joined(p.Expect)})
	return pack([]byte(p.Comment), files)
}

// Update is the text of a performance with another expectation and everything else as it
// was. It fails with [ErrByHand] where that is forbidden.
func Update(text []byte, lines []string) ([]byte, error) {
	comment, files := unpack(text)
	if (&Performance{Comment: string(comment)}).ByHand() {
		return nil, ErrByHand
	}
	i := slices.IndexFunc(files, func(f file) bool { return f.name == ExpectFile })
	if i < 0 {
		i = len(files)
		files = append(files, file{name: ExpectFile})
	}
	files[i].data = joined(lines)
	return pack(comment, files), nil
}

func joined(lines []string) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// around is how many equal lines Diff shows before and after a difference.
const around = 3

// Diff shows where got departs from want: lines only in want begin with -, those only in got
// with +. It is empty if there is no difference.
func Diff(want, got []string) string {
	if slices.Equal(want, got) {
		return ""
	}
	n := min(len(want), len(got))
	head := 0
	for head < n && want[head] == got[head] {
		head++
	}
	tail := 0
	for tail < n-head && want[len(want)-1-tail] == got[len(got)-1-tail] {
		tail++
	}
	var b strings.Builder
	show := func(mark string, lines []string) {
		for _, l := range lines {
			b.WriteString(mark + l + "\n")
		}
	}
	show("  ", want[max(0, head-around):head])
	show("- ", want[head:len(want)-tail])
	show("+ ", got[head:len(got)-tail])
	show("  ", want[len(want)-tail:min(len(want), len(want)-tail+around)])
	return b.String()
}
