package main

import (
	"context"
	"errors"
	"syscall"
	"testing"
)

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	left := make(chan int, 1)
	ctx, _, stop := withSignals(context.Background(), func(code int) { left <- code })
	defer stop()
	signal := func() {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	signal()
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), errSignal) {
		t.Errorf("the context ended with %v", context.Cause(ctx))
	}
	select {
	case code := <-left:
		t.Fatalf("the first signal left with %d", code)
	default:
	}
	signal()
	if code := <-left; code != exitInterrupted {
		t.Errorf("the second signal left with %d", code)
	}
}
