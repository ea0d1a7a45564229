package terminal

import (
	"io"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
)

const (
	progressDelay = time.Second
	progressTick  = 100 * time.Millisecond
	eraseLine     = "\r\x1b[K"
)

// Stage is the progress of a part of the work.
type Stage struct {
	Name string
	// Total is 0 if it is not known.
	Done, Total int
}

// Progress shows the progress of a run that takes long, on one line of a
// terminal that can erase it. Nil shows nothing.
type Progress struct {
	// Out is the terminal, and Width its width.
	Out   io.Writer
	Width int
	// ASCII means that the terminal shows no other characters.
	ASCII bool
	Now   func() time.Time
	// Text describes a stage that has lasted for some time.
	Text func(s Stage, lasted time.Duration) string
	// Stopping says that the run was interrupted, which is shown at once.
	Stopping func() bool

	ended sync.WaitGroup
	done  chan struct{}

	mu    sync.Mutex
	last  Stage
	since time.Time // of the stage
	start time.Time
	shown bool
}

// Start begins to show progress. Call Stop before anything else is written.
func (b *Progress) Start() {
	b.begin()
	b.ended.Go(func() {
		ticker := time.NewTicker(progressTick)
		defer ticker.Stop()
		for {
			select {
			case <-b.done:
				return
			case <-ticker.C:
				b.draw()
			}
		}
	})
}

func (b *Progress) begin() {
	b.done = make(chan struct{})
	b.start = b.Now()
	b.since = b.start
}

// Tell records the progress of a stage. It is safe for concurrent use.
func (b *Progress) Tell(s Stage) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Name != b.last.Name {
		b.last, b.since = s, b.Now()
	} else if s.Done > b.last.Done {
		b.last = s
	}
}

// Stop erases the line and shows nothing more.
func (b *Progress) Stop() {
	if b == nil {
		return
	}
	close(b.done)
	b.ended.Wait()
	if b.shown {
		// An error in showing progress is ignored.
		_, _ = io.WriteString(b.Out, eraseLine)
	}
}

func (b *Progress) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, stopping := b.Now(), b.Stopping()
	if now.Sub(b.start) < progressDelay && !stopping || b.last.Name == "" {
		return
	}
	text := b.Text(b.last, now.Sub(b.since))
	if stopping {
		text = "Stopping… press Ctrl-C again to quit now. " + text
	}
	b.shown = true
	line := Printer{ASCII: b.ASCII}
	text = runewidth.Truncate(line.Shown(text), b.Width-1, line.mark())
	_, _ = io.WriteString(b.Out, eraseLine+text)
}
