package resident

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/cluster"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/metrics"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/notify"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/schedule"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Options are what a resident gets from its surroundings.
type Options struct {
	// Load reads the configuration from File.
	Load func(context.Context) (*prune.Retention, error)
	File string
	// Connect opens the store, and says who else uses its images, by the name of
	// the client.
	Connect func(context.Context, *prune.Retention) (prune.Store, map[string]prune.Source, error)
	// Disks looks at the file systems of the store.
	Disks func(context.Context, prune.Store, prune.DiskMarks) (*prune.Pressure, error)
	// Event tells the cluster of an event, Kubelet asks the kubelet of the node for its
	// marks; nil if there is no way to. The configuration asks for both.
	Event   func(context.Context, cluster.Event) error
	Kubelet func(context.Context) (cluster.Marks, error)
	// Node is the name of the node, Self that of this process for people.
	Node, Self string
	// Local is the time zone of windows that name none.
	Local *time.Location
	Now   func() time.Time
	// Up, if not nil, is the machine's own clock: see [prune.UseRecorder].
	Up      func() (boot string, up, ran time.Duration)
	Log     *slog.Logger
	Metrics *metrics.Metrics
	Manager *notify.Manager
	// Hangup asks to read the configuration again, RunNow for a run.
	Hangup, RunNow <-chan os.Signal
	// DryRun only says what runs would remove.
	DryRun bool
	// MaxStall is that of runs, DanglingPrefixes that of their policy.
	MaxStall         time.Duration
	DanglingPrefixes []string
	// Namespace is what is pruned where the configuration names none.
	Namespace string
	// Version is that of this program.
	Version string
	// Listening, if not nil, is told where the pages are.
	Listening func(address string)
}

// Where a resident is, unless its configuration says something else.
const (
	DefaultState  = "/var/lib/ctr-prune"
	DefaultListen = "127.0.0.1:9745"
	noListen      = "none"
)

// config is a configuration with what follows from it.
type config struct {
	*prune.Retention
	schedule schedule.Schedule
	state    string
	listen   string
}

func (o *Options) config(policy *prune.Retention) (*config, error) {
	s := policy.Serve
	c := &config{Retention: policy, state: s.State, listen: s.Listen}
	if c.state == "" {
		c.state = DefaultState
	}
	if c.listen == "" {
		c.listen = DefaultListen
	}
	windows, err := schedule.Windows(policy, o.Local)
	if err != nil {
		return nil, err
	}
	c.schedule = schedule.Schedule{
		Every: s.Every.Length, Jitter: s.Jitter.Length, Offset: schedule.Offset(o.Node, s.Jitter.Length), Windows: windows,
	}
	return c, nil
}

// policy is that of a run.
func (o *Options) policy(c *config) prune.Policy {
	p := prune.Policy{Retention: c.Retention, Filters: filters.Everything(), DanglingPrefixes: o.DanglingPrefixes, MissingOK: true}
	switch s := c.Serve; {
	case s.AllNamespaces:
		p.AllNamespaces = true
	case len(s.Namespaces) > 0:
		p.Namespaces = s.Namespaces
	default:
		p.Namespaces = []string{o.Namespace}
	}
	return p
}
