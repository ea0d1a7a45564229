package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A lingering context ends when it is given up, or a while after the other.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		long, end := linger(ctx, time.Minute)
		defer end()
		short, done := linger(ctx, time.Minute)
		stop()
		time.Sleep(time.Minute - time.Nanosecond)
		done()
		synctest.Wait()
		if long.Err() != nil || short.Err() == nil {
			t.Errorf("before its time: %v, given up: %v", long.Err(), short.Err())
		}
		if long.Value(key{}) != "value" {
			t.Error("the values are not there")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if long.Err() == nil {
			t.Error("it has not ended")
		}
	})
}
