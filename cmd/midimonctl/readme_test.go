package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	pastTimes  = regexp.MustCompile(`\d+ \w+ \d+ \w+ ago`)
	namedVerbs = regexp.MustCompile("(?m)(?:^    |`|\\$ )midimonctl ([a-z]+)")
	verbRows   = regexp.MustCompile("(?m)^\\| ((?:`[^|]*`,? ?)+) \\|")
	verbInRow  = regexp.MustCompile("`([a-z]+)")
	readmeShow = regexp.MustCompile("(?s)```console\n\\$ midimonctl status\n(.*?)```")
	scriptShow = regexp.MustCompile(`(?s)-- status.txt --\n(.*?)-- `)
)

// What the README shows is what the program prints, in the script of the private socket, and every
// verb that it names is there.
func TestReadme(t *testing.T) {
	text := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	readme := text("../../README.md")
	show, want := readmeShow.FindStringSubmatch(readme), scriptShow.FindStringSubmatch(text("testdata/socket.txtar"))
	if show == nil || want == nil {
		t.Fatal("there is no status to compare")
	}
	if got := pastTimes.ReplaceAllString(show[1], "AGO"); got != want[1] {
		t.Errorf("the README shows\n%s\nstatus prints\n%s", got, want[1])
	}
	there := []string{"completion"}
	for _, v := range verbs {
		there = append(there, v.name)
	}
	var named []string
	for _, m := range namedVerbs.FindAllStringSubmatch(readme+text("../../CHANGELOG.md"), -1) {
		named = append(named, m[1])
	}
	_, running, _ := strings.Cut(readme, "## Run it for real")
	for _, row := range verbRows.FindAllStringSubmatch(running, -1) {
		for _, m := range verbInRow.FindAllStringSubmatch(row[1], -1) {
			named = append(named, m[1])
		}
	}
	if len(named) < 30 {
		t.Errorf("only these are named: %v", named)
	}
	for _, name := range named {
		if !slices.Contains(there, name) {
			t.Errorf("there is no verb %q", name)
		}
	}
}
