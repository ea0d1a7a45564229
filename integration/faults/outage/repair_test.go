package outage

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// findings are those of `ctr-prune check`, with the exit code.
func (b *bed) findings(more ...string) ([]prune.Finding, int) {
	b.t.Helper()
	args := append([]string{"check", "--address", b.d.Address(), "--format", "json"}, more...)
	p := programs.Start(b.t, b.program, args...)
	code, _ := p.End()
	var doc struct{ Findings []prune.Finding }
	p.JSON(&doc)
	return doc.Findings, code
}

// repair holds the check to the blobs that containerd has forgotten: it finds
// each with its bytes and with what to do, and nothing that cannot be repaired.
// What to do is done, and then nothing is found.
func (b *bed) repair(what string, lost map[digest.Digest]int64) {
	b.t.Helper()
	found, code := b.findings()
	for _, f := range found {
		if f.Fix == "" || f.Meaning == "" || !f.Repairable && !daemon.ByHand(f) {
			b.t.Errorf("%s: a finding that nobody can repair: %+v", what, f)
		}
		if f.Problem != prune.ProblemForgotten {
			continue
		}
		size, is := lost[digest.Digest(f.Object)]
		if !is || size != f.Bytes || !strings.Contains(f.Fix, "check --repair") {
			b.t.Errorf("%s: found %+v, which has %d bytes; forgotten: %v", what, f, size, is)
		}
		delete(lost, digest.Digest(f.Object))
	}
	if len(lost) > 0 {
		b.t.Errorf("%s: the check does not find %d forgotten blobs: %v", what, len(lost), lost)
	}
	if (len(found) > 0) != (code == 1) {
		b.t.Errorf("%s: %d findings, exit code %d", what, len(found), code)
	}
	left, _ := b.findings("--repair")
	b.d.RemoveByHand(left)
	if left, code := b.findings(); len(left) > 0 || code != 0 {
		b.t.Errorf("%s: left after the repair, with exit code %d: %+v", what, code, left)
	}
}
