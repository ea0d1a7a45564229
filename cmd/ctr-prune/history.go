package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const historyLong = `List the last 50 runs of ctr-prune serve, newest first, or show the report of one:
what it removed and why, what that freed, and what went wrong. No store is needed.`

const historyExamples = `  ctr-prune history

  # What did the last one do?
  ctr-prune history "$(ctr-prune history -q | head -1)"`

// historyOptions are the flags of history.
type historyOptions struct {
	state  string
	output outputOptions
}

// historyDocument is the output of --format json.
type historyDocument struct {
	header
	// Runs have their documents only if a run was named.
	Runs []history.Entry `json:"runs"`
}

// historyRow is a run in templates.
type historyRow struct {
	Run, Trigger, Result string
	Started, Ended       time.Time
	Removed              int
	Bytes                format.Bytes
	Error                string
}

func newHistory(p process) *cobra.Command {
	o := &historyOptions{}
	shape := rowShape("a run", historyRow{})
	cmd := &cobra.Command{
		Use:     "history [flags] [RUN]",
		Short:   "List the last runs of serve, or show the report of one",
		Long:    historyLong,
		Example: historyExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] == "" {
				return usagef("name one run, or none to list all: see ctr-prune history")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			out, err := newOutput(p, o.output, shape)
			if err != nil {
				return err
			}
			return o.show(p, args, out)
		},
	}
	addGroup(cmd, "Where", func(fs *pflag.FlagSet) {
		fs.StringVar(&o.state, "state", resident.DefaultState, "the folder that serve.state names, a `DIR` (default "+resident.DefaultState+")")
	})
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each run, see the fields below", "the names of the runs") })
	templateHelp(cmd, shape)
	completeFlag(cmd, "format", fixed(format.Named()...))
	completeFlag(cmd, "state", directories)
	cmd.ValidArgsFunction = func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		entries, _ := history.In(o.state).List() // what cannot be read is not offered
		names := each(entries, func(e history.Entry) string { return e.Run })
		return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, typed) }), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// show shows all runs, or one.
func (o *historyOptions) show(p process, args []string, out *format.Output[historyRow]) error {
	switch _, err := os.Stat(o.state); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %s, in which ctr-prune serve keeps the reports of its runs: give the folder that its serve.state names with --state", o.state)
	case err != nil:
		return fmt.Errorf("the state of ctr-prune serve cannot be read: %w", err)
	}
	entries, unread := history.In(o.state).List()
	if unread != nil {
		if err := p.caution("%s", unread); err != nil {
			return err
		}
	}
	if len(args) == 0 {
		if len(entries) == 0 && o.output.table() {
			return p.say("There was no run of ctr-prune serve yet.")
		}
		return out.Show(historyResult(entries, false, p.now(), func(out *terminal.Printer) { historyTable(out, entries, p.now()) }))
	}
	e, err := entryNamed(entries, args[0])
	if err != nil {
		return err
	}
	return out.Show(historyResult([]history.Entry{e}, true, p.now(), func(out *terminal.Printer) {
		historyTable(out, []history.Entry{e}, p.now())
		if e.Error != "" {
			out.Sentence("%s", out.Prose(e.Error))
		}
		text.Rounds(out, e.Pressure)
		if e.Document != nil {
			out.Line("")
			text.Document(out, *e.Document, text.How{Verbose: true})
		}
	}))
}

// entryNamed finds a run by its name or the beginning of it.
func entryNamed(entries []history.Entry, name string) (history.Entry, error) {
	var found []history.Entry
	for _, e := range entries {
		if e.Run == name {
			return e, nil
		}
		if strings.HasPrefix(e.Run, name) {
			found = append(found, e)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) == 0 {
		return history.Entry{}, fmt.Errorf("no run of serve that is kept is named %q or begins so: see ctr-prune history", name)
	}
	return history.Entry{}, usagef("%d runs of serve begin with %q: see ctr-prune history, and give more of the name", len(found), name)
}

// historyResult is the result; only a whole one has the documents.
func historyResult(entries []history.Entry, whole bool, now time.Time, show func(*terminal.Printer)) format.Result[historyRow] {
	shown := each(entries, func(e history.Entry) history.Entry {
		if !whole {
			e.Document = nil
		}
		return e
	})
	return format.Result[historyRow]{
		Doc:   historyDocument{header{history.Schema, "history", now}, shown},
		Lines: func() []any { return each(shown, func(e history.Entry) any { return e }) },
		Rows:  func() []historyRow { return each(entries, historyRowOf) },
		Names: func() []string { return each(entries, func(e history.Entry) string { return e.Run }) },
		Text:  show,

		Remarks: func() []github.Remark { return historyRemarks(entries) },
	}
}

func historyRowOf(e history.Entry) historyRow {
	row := historyRow{Run: e.Run, Trigger: e.Trigger, Result: e.Result, Started: e.Started, Ended: e.Ended, Error: e.Error}
	if e.Document != nil {
		row.Removed, row.Bytes = len(e.Document.Untagged), format.Bytes(e.Document.Reclaimed.TotalBytes)
	}
	return row
}

// historyRemarks tell of the runs that failed.
func historyRemarks(entries []history.Entry) []github.Remark {
	all := []github.Remark{{Level: github.Notice, Text: terminal.Count(len(entries), "run") + " of ctr-prune serve."}}
	for _, e := range entries {
		if e.Error != "" {
			all = append(all, github.Remark{Level: github.Warning, Text: "Run " + e.Run + ": " + e.Error})
		}
	}
	return all
}

func historyTable(out *terminal.Printer, entries []history.Entry, now time.Time) {
	t := terminal.Table{Columns: []terminal.Column{{Title: "RUN"}, {Title: "STARTED", Least: 10}, {Title: "TRIGGER"}, {Title: "RESULT"}, {Title: "REMOVED", Right: true}, {Title: "FREED", Right: true}, {Title: "TOOK", Right: true}}}
	for _, e := range entries {
		row := historyRowOf(e)
		took := terminal.Lasted(e.Ended.Sub(e.Started))
		t.Add(e.Run, terminal.Ago(now, e.Started), e.Trigger, e.Result, strconv.Itoa(row.Removed), terminal.Size(int64(row.Bytes)), took)
	}
	t.Narrow(out, "TRIGGER", "TOOK", "STARTED")
	t.Print(out)
}

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
	return nil, in.caution("when images were last used is not known: %s", text.Error(err))
}

// noteUse adds what a run has found in use to what is kept, if somebody keeps that.
// A run that cannot goes on.
func (in *invocation) noteUse(ctx context.Context, plan *prune.Plan) error {
	dir, _ := in.options.state.dir(in.getenv)
	if !in.options.state.used || in.policy.LastUse == nil {
		return nil
	}
	if err := prune.NoteLastUse(ctx, dir, plan.Inventory, plan.Now); err != nil {
		return in.caution("what is in use now could not be added to what is known of last use: %s", text.Error(err))
	}
	return nil
}
