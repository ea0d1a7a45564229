package parts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// endTimeout is how long an interrupted build may take to end.
const endTimeout = time.Minute

// build compiles the recipe's packages into dir, all of them or none.
//
// It runs inside the downloaded module instead of `go install pkg@version`,
// so that the module's own go.mod and go.sum decide about its dependencies.
// That also builds modules with exclude directives, which install refuses.
func build(ctx context.Context, dir string, rec recipe) error {
	src, err := source(ctx, rec)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	args := []string{"build", "-mod=readonly", "-trimpath", "-ldflags=" + ldflags(rec), "-o", tmp + "/"}
	if rec.tags != "" {
		args = append(args, "-tags", rec.tags)
	}
	cmd := goCommand(ctx, src, append(args, rec.packages...)...)
	cmd.Env = append(cmd.Env, "CGO_ENABLED="+cgo(rec))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", rec.module, err, tail(out))
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	// Leftovers of an incomplete folder would make the rename fail.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// source is the folder to build in.
func source(ctx context.Context, rec recipe) (string, error) {
	if rec.within == "" {
		return download(ctx, rec.module)
	}
	root, err := ModuleRoot()
	return filepath.Join(root, "integration", "bed", "parts", "modules", rec.within), err
}

func ldflags(rec recipe) string {
	flags := "-s -w"
	for _, v := range rec.variables {
		flags += " -X " + v
	}
	return flags
}

// download puts a module into the module cache and returns its folder there.
func download(ctx context.Context, module string) (string, error) {
	cmd := goCommand(ctx, "", "mod", "download", "-json", module)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &answer); err == nil && jerr != nil {
		err = jerr
	}
	if answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("downloading module %s: %w\n%s", module, err, tail(stderr.Bytes()))
	}
	return answer.Dir, nil
}

func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// Go removes its own temporary folders when it is interrupted, not killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endTimeout
	// GOFLAGS of the caller (-race, -mod=vendor, …) are about its own module.
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "GO111MODULE=on")
	return cmd
}

func cgo(rec recipe) string {
	if rec.cgo {
		return "1"
	}
	return "0"
}

// tail keeps the end of a tool's output, where its error is.
func tail(out []byte) []byte {
	const most = 4 << 10
	return out[max(0, len(out)-most):]
}
