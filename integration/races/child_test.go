package races

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/pruning"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A process with this prunes with the library, once for each line that it
// reads, until a run fails. It is the test's own program, and so has the race
// detector if the test has it. A run that fails leaves its lease, which the
// next one takes over when the process is gone.
const childAddress = "RACES_CHILD_ADDRESS"

// What a child says of a run; anything else is an error.
const (
	saidDone  = "done"
	saidEmpty = "nothing to do"
	saidBusy  = "busy"
)

// beChild returns the exit code.
func beChild(address string) int {
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		said, err := pruneOnce(context.Background(), address)
		if err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", "; "))
			return 1
		}
		fmt.Println(said)
	}
	return 0
}

func pruneOnce(ctx context.Context, address string) (said string, err error) {
	store, err := prune.Open(ctx, address)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	policy, now := pruning.All(namespaces...), time.Now()
	inv, err := prune.Read(ctx, store, policy, now, prune.ReadOptions{})
	if err != nil {
		return "", fmt.Errorf("reading: %w", err)
	}
	plan, err := inv.Plan(policy, now)
	if err != nil {
		return "", fmt.Errorf("planning: %w", err)
	}
	if plan.Empty() {
		return saidEmpty, nil
	}
	report, err := plan.Execute(ctx, store, prune.ExecuteOptions{Now: time.Now})
	var busy *leases.Busy
	if errors.As(err, &busy) {
		return saidBusy, nil
	}
	if err == nil && !report.Measured {
		err = errors.New("it was not measured")
	}
	return saidDone, err
}

// child is a process that prunes when it is told to.
type child struct {
	cmd    *exec.Cmd
	orders io.WriteCloser
	said   *bufio.Reader
	stderr strings.Builder
}

func startChild(address string) (*child, error) {
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childAddress+"="+address)
	c.cmd.Stderr = &c.stderr
	var err error
	if c.orders, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.said = bufio.NewReader(out)
	return c, c.cmd.Start()
}

// prune lets the child do one run.
func (c *child) prune() (string, error) {
	if _, err := fmt.Fprintln(c.orders, "prune"); err != nil {
		return "", err
	}
	line, err := c.said.ReadString('\n')
	return strings.TrimSpace(line), err
}

// end waits for the child when it has nothing more to do.
func (c *child) end() error {
	if err := errors.Join(c.orders.Close(), c.cmd.Wait()); err != nil {
		return fmt.Errorf("%w: %s", err, c.stderr.String())
	}
	return nil
}
