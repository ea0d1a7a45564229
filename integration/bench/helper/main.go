package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "floor":
		return floor(args[1])
	case len(args) > 1 && args[0] == "weigh":
		return weigh(args[1:])
	}
	return fmt.Errorf("usage: helper floor ADDRESS | helper weigh PROGRAM [ARGS]")
}

// floor lists the images and deletes them one by one, all but the last plainly
// and that one synchronously. It protects nothing, plans nothing and reports
// nothing.
func floor(address string) error {
	client, err := containerd.New(address)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := namespaces.WithNamespace(context.Background(), "default")
	store := client.ImageService()
	list, err := store.List(ctx)
	if err != nil {
		return err
	}
	for i, image := range list {
		var opts []images.DeleteOpt
		if i == len(list)-1 {
			opts = append(opts, images.SynchronousDelete())
		}
		if err := store.Delete(ctx, image.Name, opts...); err != nil {
			return fmt.Errorf("deleting %q: %w", image.Name, err)
		}
	}
	return nil
}

// weight is what a run took.
type weight struct {
	Wall time.Duration
	// CPU is what the process itself computed, not what it waited for.
	CPU time.Duration
	// RSS is the peak of the resident memory, in bytes.
	RSS int64
}

// weigh needs to be a small process: Linux counts the memory that a process
// has before exec, which is its parent's, into the peak of the child.
func weigh(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%q: %w", args, err)
	}
	w := weight{
		Wall: time.Since(start),
		CPU:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		w.RSS = usage.Maxrss << 10
	}
	return json.NewEncoder(os.Stdout).Encode(w)
}
