package races

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/ctr-prune/ctr-prune/integration/pruning"
)

// pruner prunes with the library in a process of its own.
type pruner struct {
	*race
	child *child
}

// run is one run over all namespaces. It is never cut off, for what it leaves
// behind would be in the way of others.
func (p *pruner) run(context.Context) error {
	if p.child == nil {
		child, err := startChild(p.n.Address())
		if err != nil {
			return err
		}
		p.child = child
	}
	said, err := p.child.prune()
	switch {
	case err != nil:
		return errors.Join(err, p.end())
	case said == saidDone:
		p.rounds.done()
		return nil
	case said == saidEmpty:
		return nil
	case said == saidBusy:
		return errBusy
	}
	// What the exit says beside this is only of interest if it is a data race.
	if err := p.end(); exitCode(err) == dataRace {
		p.tally.lost("a data race: %v", err)
	}
	return errors.New(said)
}

// dataRace is the exit code of the race detector.
const dataRace = 66

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// end ends the process.
func (p *pruner) end() error {
	if p.child == nil {
		return nil
	}
	err := p.child.end()
	p.child = nil
	return err
}

// pruneCommand is one run of the command. Of two at once one is told of the
// other.
func (r *race) pruneCommand(ctx context.Context) error {
	said, code, err := r.command(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	switch code {
	case 0:
		return nil
	case 3:
		return errBusy
	default:
		return fmt.Errorf("exit code %d: %s", code, said)
	}
}

func (r *race) command(ctx context.Context) (said string, code int, err error) {
	args := []string{"--address", r.n.Address(), "--all", "--force"}
	for _, ns := range namespaces {
		args = append(args, "-n", ns)
	}
	return pruning.Try(ctx, r.program, args...)
}
