package plan

import (
	"errors"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// blown says why a run is refused that would remove more of the records of the
// chosen namespaces than the fuse of the policy allows.
func (p *Plan) blown() error {
	if p.Policy.Retention == nil {
		return nil
	}
	going := 0
	for i := range p.Decisions {
		if p.Decisions[i].Gone() && !p.Decisions[i].Collected {
			going++
		}
	}
	if why := p.Policy.Retention.Fuse.Blown(going, len(p.Decisions)); why != "" {
		return &cause.CodeError{Code: cause.CodeFuse, Err: errors.New(why)}
	}
	return nil
}
