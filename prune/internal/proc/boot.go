package proc

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// BootTime is when the machine was started, by its clock of now and to the
// second; zero if that cannot be read.
func (p Procfs) BootTime() time.Time {
	text, err := os.ReadFile(p.path("stat"))
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(text)) {
		var seconds int64
		if _, err := fmt.Sscanf(line, "btime %d", &seconds); err == nil {
			return time.Unix(seconds, 0)
		}
	}
	return time.Time{}
}

// Boot names the time since the machine was started, "" if that cannot be read.
func (p Procfs) Boot() string { return p.bootID() }
