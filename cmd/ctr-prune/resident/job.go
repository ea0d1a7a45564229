package resident

import (
	"context"
	"time"
)

// job is something that takes time, and is done beside the loop. There is at most
// one.
type job struct {
	what  string
	since time.Time
}

// limit bounds a job: as long as the lease of a run lasts. containerd may hang.
const limit = time.Hour

// do begins a job. It must not use what belongs to the loop; what it returns is
// called by the loop when the job has ended.
func (r *Resident) do(ctx context.Context, what string, work func(context.Context) func()) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	r.job = &job{what, r.o.Now()}
	go func() {
		defer cancel()
		r.done <- work(ctx)
	}()
}

func (r *Resident) ended(then func()) {
	r.job = nil
	then()
}
