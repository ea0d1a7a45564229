package typed

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/filters/spelling"
)

// Mistake says in a sentence what is wrong with a flag, without the terms of
// Go's parsers.
func Mistake(cmd *cobra.Command, err error) string {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		name, value := invalid.GetFlag().Name, invalid.GetValue()
		switch invalid.GetFlag().Value.Type() {
		case "bool":
			return fmt.Sprintf("--%s=%s is neither true nor false", name, value)
		case "int":
			return fmt.Sprintf("--%s %q is not a whole number", name, value)
		case "duration":
			return fmt.Sprintf("--%s %q is not a duration: type one such as 30s, 10m, 1h30m or 2d", name, value)
		}
	}
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
		if said := meant(cmd, unknown); said != "" {
			return fmt.Sprintf("%s: %s see %s --help", err, said, cmd.CommandPath())
		}
	}
	if bare := (*pflag.ValueRequiredError)(nil); errors.As(err, &bare) {
		return fmt.Sprintf("--%s needs a value; see %s --help", bare.GetFlag().Name, cmd.CommandPath())
	}
	return fmt.Sprintf("%s; see %s --help", err, cmd.CommandPath())
}

// otherFlagNames are flags of other programs, and what does the same here.
var otherFlagNames = map[string]string{
	"o": "--format json", "output": "--format json", "json": "--format json",
	"sort-by": "--sort", "head": "--top", "limit": "--top",
	"assume-yes": "--yes", "assumeyes": "--yes",
	"dryrun": "--dry-run", "simulate": "--dry-run", "what-if": "--dry-run", "fix": "--repair",
	"older-than": "--until 72h", "age": "--until 72h", "keep": "--keep-last 3",
	"host": "--address", "H": "--address",
}

// meant says which flag was probably meant by one that the command does not have, ""
// if that cannot be told.
func meant(cmd *cobra.Command, unknown *pflag.NotExistError) string {
	name := unknown.GetSpecifiedName()
	if said, known := otherFlagNames[name]; known {
		flag, _, _ := strings.Cut(strings.TrimPrefix(said, "--"), " ")
		if cmd.Flags().Lookup(flag) != nil || cmd.InheritedFlags().Lookup(flag) != nil {
			return "type " + said + ";"
		}
	}
	if short := unknown.GetSpecifiedShortnames(); len(short) > 1 { // one hyphen before a word
		name = short
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return strings.TrimSpace(spelling.Hint(name, "--", names))
}

// LostValue tells of flags such as --grace="$GRACE" when the variable is not
// set, and --html --dry-run, of which pflag makes a file named --dry-run: these are
// mistakes, and what is missing then may be what makes the command safe. An empty
// address is reported when connecting.
func LostValue(cmd *cobra.Command) (said string) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		name, _ := pflag.UnquoteUsage(f)
		for _, value := range textsOf(f.Value) {
			switch {
			case said != "":
			case value == "" && f.Value.Type() == "string" && f.Name != "address":
				said = fmt.Sprintf("--%s is empty: give the %s, or leave the flag out", f.Name, name)
			case isFlag(cmd.Flags(), value):
				said = fmt.Sprintf("--%s is followed by the flag %s: give the %s first, or leave --%s out", f.Name, value, name, f.Name)
			}
		}
	})
	return said
}

// textsOf are the values of a flag that takes any text.
func textsOf(value pflag.Value) []string {
	if list, ok := value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	if value.Type() == "string" {
		return []string{value.String()}
	}
	return nil
}

// isFlag says whether a word is a flag as it is typed, long or short.
func isFlag(fs *pflag.FlagSet, word string) bool {
	if long, ok := strings.CutPrefix(word, "--"); ok {
		return fs.Lookup(long) != nil
	}
	short, ok := strings.CutPrefix(word, "-")
	return ok && len(short) == 1 && fs.ShorthandLookup(short) != nil
}
