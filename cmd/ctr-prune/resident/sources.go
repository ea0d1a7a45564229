package resident

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// clientPods is the source of the pods of the node.
	clientPods = "pods"
	// podsEvery is how often they are listed to watch use, unless the configuration says it.
	podsEvery = 5 * time.Minute
)

// pods are how a configuration has pods listed.
type pods struct {
	source string
	every  time.Duration
}

func podsOf(policy *prune.Retention) pods {
	return pods{policy.Serve.Pods, cmp.Or(policy.Serve.PodsEvery.Length, podsEvery)}
}

// reconnect gives a connection up that lists pods otherwise than the configuration says.
func (r *Resident) reconnect(now time.Time) {
	if r.conn != nil && r.conn.pods != podsOf(r.conf.Retention) {
		r.disconnect()
		r.connectAt = now
	}
}

// add adds a source. An API server has as many clients as there are nodes, so that looks,
// of which there is one a minute, do not all list pods.
func (c *connection) add(name string, source *counted, now func() time.Time) {
	c.sources = append(c.sources, source)
	if name == clientPods {
		c.watched = append(c.watched, &rested{Source: source, every: c.pods.every, now: now, answers: make(map[string]answer)})
		return
	}
	c.watched = append(c.watched, source)
}

// counted is a source whose errors are counted. A run and the watch of use ask it one after
// the other, because sources are not for several at once.
type counted struct {
	prune.Source
	name   string
	failed func(string)
	mu     sync.Mutex
}

func (c *counted) Uses(ctx context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	uses, covered, err := c.Source.Uses(ctx, asked)
	if err != nil && ctx.Err() == nil {
		c.failed(c.name)
	}
	return uses, covered, err
}

// rested is a source that is left alone for some time after each answer, which stands until
// then. It is not for runs.
type rested struct {
	prune.Source
	every   time.Duration
	now     func() time.Time
	mu      sync.Mutex
	answers map[string]answer // by namespace
}

type answer struct {
	uses    []prune.Use
	covered bool
	err     error
	at      time.Time
}

func (s *rested) Uses(ctx context.Context, asked prune.Asked) ([]prune.Use, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known := s.answers[asked.Name]
	if !known || s.now().Sub(a.at).Abs() >= s.every {
		a.uses, a.covered, a.err = s.Source.Uses(ctx, asked)
		a.at = s.now()
		if ctx.Err() != nil {
			return a.uses, a.covered, a.err // which says nothing about the source
		}
		s.answers[asked.Name] = a
	}
	return slices.Clone(a.uses), a.covered, a.err
}
