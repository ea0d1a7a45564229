package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
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
	completeFlag(cmd, "format", fixed(format.Table, format.JSON, format.Lines))
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
	if _, err := os.Stat(o.state); err != nil {
		return err
	}
	entries, unread := history.In(o.state).List()
	if unread != nil {
		if err := p.say("ctr-prune: %s", unread); err != nil {
			return err
		}
	}
	if len(args) == 0 {
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
		if e.Document != nil {
			out.Line("")
			text.Document(out, *e.Document, false)
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
	return history.Entry{}, usagef("%q matches %d of the last %s of serve: see ctr-prune history", name, len(found), terminal.Count(len(entries), "run"))
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
	}
}

func historyRowOf(e history.Entry) historyRow {
	row := historyRow{Run: e.Run, Trigger: e.Trigger, Result: e.Result, Started: e.Started, Ended: e.Ended, Error: e.Error}
	if e.Document != nil {
		row.Removed, row.Bytes = len(e.Document.Untagged), format.Bytes(e.Document.Reclaimed.TotalBytes)
	}
	return row
}

func historyTable(out *terminal.Printer, entries []history.Entry, now time.Time) {
	if len(entries) == 0 {
		out.Line("There was no run of ctr-prune serve yet.")
		return
	}
	t := terminal.Table{Columns: []terminal.Column{{Title: "RUN"}, {Title: "STARTED", Least: 10}, {Title: "TRIGGER"}, {Title: "RESULT"}, {Title: "REMOVED"}, {Title: "FREED"}, {Title: "TOOK"}}}
	for _, e := range entries {
		row := historyRowOf(e)
		took := e.Ended.Sub(e.Started).Round(time.Millisecond).String()
		t.Add(e.Run, terminal.Ago(now, e.Started), e.Trigger, e.Result, strconv.Itoa(row.Removed), terminal.Size(int64(row.Bytes)), took)
	}
	t.Narrow(out, "TRIGGER", "TOOK", "STARTED")
	t.Print(out)
}
