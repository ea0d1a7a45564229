package races

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// pruner prunes with the library in a process of its own.
type pruner struct {
	*race
	child *child
}

// run is one run over all namespaces. It is never cut off, because what it left
// behind would be in the way of others.
func (p *pruner) run(context.Context) error {
	if p.child == nil {
		child, err := startChild(p.scope())
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
	return p.obey(said, errors.New(said))
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
		return r.obey(said, fmt.Errorf("exit code %d: %s", code, said))
	}
}

// errLost is a run that left Docker's namespace alone because Docker has lost a
// container: it does so when containerd goes away while it makes one, and leaves
// the container's lease.
var errLost = errors.New("a container was lost by Docker")

// errWritten is a run that told which records somebody had written in the moment
// of their deletion. A containerd before 2.0 does not say what they named then,
// so that nobody could put them back.
var errWritten = errors.New("a record was written in the moment of its deletion")

// tellsOfWritten says whether a run that failed has nothing else to tell.
func (r *race) tellsOfWritten(said string) bool {
	if r.n.Version() != parts.Containerd17 {
		return false
	}
	if _, errs, ok := strings.Cut(said, "ctr-prune: "); ok { // after the report
		said = errs
	}
	for _, text := range strings.FieldsFunc(said, func(c rune) bool { return c == '\n' || c == ';' }) {
		if !strings.Contains(text, " was updated at the moment of its deletion, ") {
			return false
		}
	}
	return true
}

// giveUp is what a run says to do then.
var giveUp = regexp.MustCompile("`ctr -n (\\S+) leases rm ([0-9a-f]{64})`")

// obey does what a run says to do where Docker has lost a container, and returns
// the run's error otherwise.
func (r *race) obey(said string, err error) error {
	if r.tellsOfWritten(said) {
		return fmt.Errorf("%w: %w", errWritten, err)
	}
	found := giveUp.FindStringSubmatch(said)
	if found == nil || r.tally.outages() == 0 {
		return err
	}
	dropped := r.store(found[1]).DropLease(r.t.Context(), found[2], true)
	if dropped != nil && !errdefs.IsNotFound(dropped) {
		return errors.Join(err, dropped)
	}
	return errLost
}

func (r *race) command(ctx context.Context) (said string, code int, err error) {
	c := r.scope()
	args := []string{"--address", c.Address, "--all", "--force", "--filter", "reference!=" + c.Keep}
	if c.Docker != "" {
		args = append(args, "--docker-host", c.Docker)
	}
	for _, ns := range c.Namespaces {
		args = append(args, "-n", ns)
	}
	return programs.Try(ctx, r.program, args...)
}

// scope is what the pruners of the race prune.
func (r *race) scope() scope {
	c := scope{Address: r.n.Address(), Namespaces: r.namespaces, Keep: keptPattern}
	if r.engine != nil {
		c.Docker = r.engine.Socket()
	}
	return c
}
