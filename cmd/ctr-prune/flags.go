package main

import (
	"errors"

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

// noEmptyFlags refuses --grace="$GRACE" when the variable is not set: it is a
// slip, and what it leaves out may be what makes the command safe. An empty
// address is told of when it is connected to.
func noEmptyFlags(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && f.Value.Type() == "string" && f.Value.String() == "" && f.Name != "address" {
			name, _ := pflag.UnquoteUsage(f)
			err = usagef("--%s is empty: give the %s, or leave the flag out", f.Name, name)
		}
	})
	return err
}

// flagError says in a sentence what is wrong with a flag, without the words of
// Go's parsers.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		name, value := invalid.GetFlag().Name, invalid.GetValue()
		switch invalid.GetFlag().Value.Type() {
		case "bool":
			return usagef("--%s=%s is neither true nor false", name, value)
		case "duration":
			return usagef("--%s %q is no duration: type one such as 30s, 10m or 1h30m", name, value)
		}
	}
	return usagef("%s; see %s --help", err, cmd.CommandPath())
}
