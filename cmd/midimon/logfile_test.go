package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever logs does not wait for a disk that stands still, and the file tells what it lacks.
func TestLogFileWithoutADisk(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := newLogFile()
	l.turn(w)
	log := slog.New(l.handler(slog.LevelInfo))
	text := strings.Repeat("x", 1000)
	const lines = 2 * (waitingLines + 64) // a pipe takes 64 of them
	for i := range lines {
		log.Info("line", "number", i, "text", text)
	}
	log.Debug("not worth a line")
	done := make(chan int)
	said := 0
	go func() {
		got := 0
		for s := bufio.NewScanner(r); s.Scan(); {
			var n int
			if _, err := fmt.Sscanf(s.Text(), `level=WARN msg="lines were dropped" lines=%d`, &n); err == nil {
				said += n
				continue
			}
			if !strings.Contains(s.Text(), text) {
				t.Errorf("%.100s", s.Text())
			}
			got++
		}
		done <- got
	}()
	l.close()
	if got := <-done; got+said != lines || said == 0 {
		t.Errorf("%d lines are there, %d were dropped, of %d", got, said, lines)
	}
	if log.Enabled(t.Context(), slog.LevelError) {
		t.Error("it is still on")
	}
}

// What is logged once there is a file is in it.
func TestLogFileFromTheFirstLine(t *testing.T) {
	dir := t.TempDir()
	for n := range 2000 {
		l := newLogFile()
		if err := l.set(fmt.Sprint(n), dir); err != nil {
			t.Fatal(err)
		}
		slog.New(l.handler(slog.LevelInfo)).Info("first")
		l.close()
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(n)))
		if err != nil || !strings.Contains(string(text), "first") {
			t.Fatalf("file %d: %q, %v", n, text, err)
		}
	}
}
