// Package github writes what GitHub Actions reads: annotations, which are lines
// of the log that begin with ::, the summary of a step in Markdown, and its
// outputs. Names come from a store and may be hostile: in the log none becomes a
// command of the runner, and in the summary none becomes markup, a link or a
// mention.
package github
