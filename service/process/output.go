package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
)

const (
	// maxOutput is how much of what a command writes is logged, in bytes.
	maxOutput = 64 << 10
	// maxLine is where a long line is cut, in bytes.
	maxLine = 4 << 10
)

// output is a pipe whose lines go to the log. Who still writes when the command has ended is
// heard as long as midimon runs.
type output struct{ r, w *os.File }

func newOutput(log *slog.Logger) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pipe for the output: %w", err)
	}
	go hear(r, log)
	return &output{r, w}, nil
}

// file is where to write; nil for none.
func (o *output) file() *os.File {
	if o == nil {
		return nil
	}
	return o.w
}

// finish is called when the command has the pipe, or never will.
func (o *output) finish() { _ = o.w.Close() }

// hear logs what comes, and takes the rest away in silence so that nobody waits.
func hear(r *os.File, log *slog.Logger) {
	defer func() { _ = r.Close() }()
	lines := bufio.NewReaderSize(r, maxLine)
	for left := maxOutput; ; {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(line) == 0 {
			return
		}
		n := len(line)
		for n > 0 && (line[n-1] == '\n' || line[n-1] == '\r') {
			n--
		}
		if n > 0 {
			log.Info("command output", "line", string(line[:n]))
		}
		if left -= len(line); left <= 0 {
			log.Warn("command output cut", "after_bytes", maxOutput)
			_, _ = io.Copy(io.Discard, r)
			return
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}
