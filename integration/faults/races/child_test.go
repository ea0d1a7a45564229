package races

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
)

// A process with this in its environment prunes with the library, once for each
// line that it reads, until a run fails. It is the test's own program, and so
// has the race detector if the test has it. A run that fails leaves its lease,
// which the next one takes over when the process is gone.
const childOrder = "RACES_CHILD"

// scope is what a pruner prunes.
type scope struct {
	Address    string
	Namespaces []string
	// Keep is a pattern of names that no run may remove, Docker the Engine's
	// socket, if there is one.
	Keep, Docker string
}

// policy is that of every run.
func (c scope) policy(now time.Time) (prune.Policy, error) {
	only, err := filters.Parse(filters.Options{All: true, Filters: []string{"reference!=" + c.Keep}}, now)
	return prune.Policy{Namespaces: c.Namespaces, Filters: only}, err
}

// sources are those of every run and check.
func (c scope) sources(store prune.Store) ([]prune.Source, error) {
	if c.Docker == "" {
		return nil, nil
	}
	s, err := docker.New(c.Docker, store)
	return []prune.Source{s}, err
}

// What a child says of a run; anything else is an error.
const (
	saidDone  = "done"
	saidEmpty = "nothing to do"
	saidBusy  = "busy"
)

// beChild returns the exit code.
func beChild(order string) int {
	var c scope
	if err := json.Unmarshal([]byte(order), &c); err != nil {
		fmt.Println(err)
		return 1
	}
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		said, err := c.prune(context.Background())
		if err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", "; "))
			return 1
		}
		fmt.Println(said)
	}
	return 0
}

// smallSlices are for runs that give up what they deleted in as many collections
// as they can.
const smallSlices = time.Nanosecond

// prune is one run.
func (c scope) prune(ctx context.Context) (said string, err error) {
	store, err := prune.Open(ctx, c.Address)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := time.Now()
	policy, err := c.policy(now)
	if err != nil {
		return "", err
	}
	sources, err := c.sources(store)
	if err != nil {
		return "", err
	}
	plan, err := prune.ReadPlan(ctx, store, policy, now, prune.ReadOptions{Sources: sources})
	if err != nil {
		return "", fmt.Errorf("planning: %w", err)
	}
	if refused := plan.Refused; len(refused) > 0 {
		return "", fmt.Errorf("refused: %v", refused)
	}
	if plan.Empty() {
		return saidEmpty, nil
	}
	report, err := prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now, Sources: sources, MaxStall: smallSlices})
	var busy *prune.Busy
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

func startChild(what scope) (*child, error) {
	order, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childOrder+"="+string(order))
	c.cmd.Stderr = &c.stderr
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
