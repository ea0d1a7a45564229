package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	envState     = "CTR_PRUNE_STATE"
	flagState    = "state"
	defaultState = "/var/lib/ctr-prune"
)

// stateOptions say where it is kept when images were last used.
type stateOptions struct {
	typed string
	// used says that the command has the flag.
	used bool
}

func (o *stateOptions) add(fs *pflag.FlagSet) {
	o.used = true
	fs.StringVar(&o.typed, flagState, "", "when images were last used is kept in this `DIR` (if not given: $"+envState+" or "+defaultState+")")
}

// dir is the folder; chosen says that a user named it.
func (o *stateOptions) dir(getenv func(string) string) (dir string, chosen bool) {
	named := cmp.Or(o.typed, getenv(envState))
	return cmp.Or(named, defaultState), named != ""
}

// lastUse reads when images were last used, for commands that have the flag. What
// cannot be read is told of, and nothing is known then, so that more stays.
func (in *invocation) lastUse(ctx context.Context) (*prune.LastUse, error) {
	dir, chosen := in.options.state.dir(in.getenv)
	if !in.options.state.used {
		return nil, nil
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	info, err := in.store.Info(ctx)
	if err != nil || info.ID == "" { // which reading the store tells
		return nil, nil //nolint:nilerr // see above
	}
	known, err := prune.ReadLastUse(ctx, dir, info.ID)
	if err == nil || errors.Is(err, fs.ErrPermission) && !chosen {
		return known, nil
	}
	return nil, in.say("ctr-prune: when images were last used is not known: %s", text.Error(err))
}

// noteUse adds what a run has found in use to what is kept, if somebody keeps that.
// A run that cannot goes on.
func (in *invocation) noteUse(ctx context.Context, plan *prune.Plan) error {
	dir, _ := in.options.state.dir(in.getenv)
	if !in.options.state.used || in.policy.LastUse == nil {
		return nil
	}
	if err := prune.NoteLastUse(ctx, dir, plan.Inventory, plan.Now); err != nil {
		return in.say("ctr-prune: what is in use now could not be added to what is known of last use: %s", text.Error(err))
	}
	return nil
}
