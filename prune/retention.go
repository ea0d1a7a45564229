package prune

import (
	"context"

	"github.com/ctr-prune/ctr-prune/prune/internal/policyfile"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Retention is a policy file: which images stay although nothing uses them. It is
// used as a field of a [Policy], whose filters narrow down what it lets go. The
// zero value keeps everything. docs/policy.md describes the file.
type Retention = retention.Policy

// ReadRetention reads a policy file and the files of patterns that it names, and
// refuses one that anybody except root, the user of this process and the given user
// IDs could have written or replaced, because it decides what is removed; insecure
// accepts it. That error has the code policy-file-untrusted. The error of a file
// with problems joins them, each one sentence with file, line and column. Reading
// ends with the context.
func ReadRetention(ctx context.Context, path string, insecure bool, users ...int) (*Retention, error) {
	return policyfile.Reader{Judge: trust.Self().And(users...), Insecure: insecure}.Read(ctx, path)
}
