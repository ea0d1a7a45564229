package run

import (
	"context"
	"time"
)

// answerTime is how long an interrupted run waits for the answers to what it
// has asked for. A request that is given up is made all the same, as likely as
// not, and perhaps only when the run has looked what became of it.
const answerTime = 10 * time.Second

// linger returns a context that ends so long after ctx.
func linger(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	lingering, end := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			end()
		case <-lingering.Done():
		}
	})
	return lingering, func() {
		unhook()
		end()
	}
}
