package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groupKey is the annotation of a flag that names its group in the help.
const groupKey = "ctr-prune/group"

// addGroup adds flags to a command under a title in its help. Titles are
// shown in the order in which they are first added.
func addGroup(cmd *cobra.Command, title string, add func(*pflag.FlagSet)) {
	group := pflag.NewFlagSet(title, pflag.ContinueOnError)
	group.SortFlags = false
	add(group)
	cmd.Flags().SortFlags = false
	group.VisitAll(func(f *pflag.Flag) {
		if f.Annotations == nil {
			f.Annotations = make(map[string][]string)
		}
		f.Annotations[groupKey] = []string{title}
		cmd.Flags().AddFlag(f)
	})
}
