package prune

import "github.com/ctr-prune/ctr-prune/prune/internal/lastuse"

// LastUse is what is known at one moment of when images were last used, and since
// when that has been watched. It is used as a field of a [Policy], for a [Retention]
// that keeps what was used within some time. Nil knows nothing.
type LastUse = lastuse.View
