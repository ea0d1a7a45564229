package text

import (
	"fmt"

	"github.com/ctr-prune/ctr-prune/prune"
)

// advice maps codes of the library to the option or command of this program
// that helps. It is appended to the library's sentence.
var advice = map[prune.Code]string{
	// Why nothing is removed from a namespace.
	"docker-not-asked":        "; give Docker's socket with --docker-host, or --docker-gone if there is no Docker any more",
	"docker-offline":          "; if there is no Docker any more, say so with --docker-gone",
	"docker-not-gone":         "; give its socket with --docker-host instead of --docker-gone, or disable it first (`systemctl disable --now docker.service docker.socket`)",
	"docker-socket-missing":   " Give its socket with --docker-host, or --docker-gone if there is no Docker any more",
	"docker-socket-untrusted": ", or accept it with --allow-insecure-socket",
	"pods-list-empty":         " with --pods-may-be-empty",
	"pods-file-untrusted":     ", or accept it with --allow-insecure-file",
	"pods-token-refused":      " with --pods-token-file",
	"pods-certificate":        "; a kubelet's own certificate is only for its node's name: --pods https://NODE-NAME:10250/pods --pods-certificate-authority /var/lib/kubelet/pki/kubelet.crt",

	// What holds something, and why a lease stays.
	"grace":       "; `ctr-prune runs drop` frees it",
	"lease-grace": "; `ctr-prune runs drop` removes it",

	// Errors.
	"disk-full":             "; " + withoutGuard,
	"quota-used-up":         "; " + withoutGuard,
	"list-too-large":        " with --root",
	"no-such-image":         "; `ctr-prune df` lists the images of all namespaces",
	"no-such-namespace":     ", or --all-namespaces",
	"plan-file-untrusted":   ", or accept it with --allow-insecure-file",
	"policy-file-untrusted": ", or accept it with --allow-insecure-file",
	"fuse":                  "; raise the fuse in the policy, or choose less with --filter",
	"run-incomplete":        "; `ctr-prune runs drop` frees the rest",
	"socket-missing":        " Give its socket with --address",
	"socket-not-containerd": "; give containerd's socket with --address",
	"socket-untrusted":      ", or accept it with --allow-insecure-socket",
}

const withoutGuard = "--no-guard prunes without them, most safely with containerd stopped and --root"

// Error is the text of an error, with advice.
func Error(err error) string { return err.Error() + advice[prune.CodeOf(err)] }

// advised adds advice to the sentence of a cause.
func advised(c *prune.Cause) { c.Reason += adviceOn(*c) }

// adviceOn is the advice on a cause, or on what it names.
func adviceOn(c prune.Cause) string {
	text := advice[c.ReasonCode]
	if p := c.ReasonParts; text == "" && p != nil {
		if p.Keeper != nil {
			text = advice[p.HolderCode]
		}
		if text == "" && p.Because != nil {
			text = adviceOn(*p.Because)
		}
	}
	return text
}

// advise adds advice to each element of a list.
func advise[T any](list []T, cause func(*T) *prune.Cause) {
	for i := range list {
		advised(cause(&list[i]))
	}
}

// Advise adds advice to all sentences of a document. Call it once.
func Advise(doc prune.Document) prune.Document {
	AdviseDecisions(doc.Images)
	uploads := func(u *prune.Upload) *prune.Cause { return &u.Cause }
	advise(doc.Uploads, uploads)
	advise(doc.Aborted, uploads)
	skips := func(s *prune.Skip) *prune.Cause { return &s.Cause }
	advise(doc.Dropped, skips)
	advise(doc.Skipped, skips)
	advise(doc.Restored, func(r *prune.Restored) *prune.Cause { return &r.Cause })
	advise(doc.Refused, func(r *prune.Refusal) *prune.Cause { return &r.Cause })
	for i := range doc.Held {
		doc.Held[i].Holder += advice[doc.Held[i].HolderCode]
	}
	for _, list := range [][]prune.Cause{doc.Changes, doc.Notes, doc.Errors} {
		advise(list, func(c *prune.Cause) *prune.Cause { return c })
	}
	return doc
}

// AdviseDecisions adds advice to decisions.
func AdviseDecisions(images []prune.ImageDocument) {
	for i := range images {
		advised(&images[i].Cause)
		advise(images[i].Details, func(c *prune.Cause) *prune.Cause { return c })
	}
}

// AdviseExplanation adds advice to the decisions of an explanation, and this
// program's commands to what keeps the object.
func AdviseExplanation(e *prune.Explanation) *prune.Explanation {
	AdviseDecisions(e.Decisions)
	for i := range e.KeptBy {
		switch h := &e.KeptBy[i]; h.HolderCode {
		case "grace":
			h.HolderParts.Command = "ctr-prune runs drop " + h.HolderParts.Run
		case "upload":
			h.HolderParts.Command = fixes[prune.ProblemOldUpload](h.HeldBy.Namespace)
		}
	}
	return e
}

// AdviseUsage adds advice to what a store holds.
func AdviseUsage(u *prune.DiskUsage) *prune.DiskUsage {
	advise(u.Images, func(i *prune.ImageUsage) *prune.Cause { return &i.Cause })
	for i := range u.Objects {
		u.Objects[i].Holder += advice[u.Objects[i].HolderCode]
	}
	return u
}

// AdviseLeases adds advice to leases.
func AdviseLeases(list []prune.LeaseInfo) []prune.LeaseInfo {
	advise(list, func(l *prune.LeaseInfo) *prune.Cause { return &l.Cause })
	return list
}

// AdviseFindings adds to findings the commands that fix them.
func AdviseFindings(found []prune.Finding) []prune.Finding {
	for i := range found {
		f := &found[i]
		if fix := fixes[f.Problem]; fix != nil {
			f.Fix = fix(f.Namespace)
		}
		if f.Parts != nil && f.Parts.Because != nil {
			f.Meaning += adviceOn(*f.Parts.Because)
		}
	}
	return found
}

// fixes are the commands that fix what is found in a namespace.
var fixes = map[prune.Problem]func(namespace string) string{
	prune.ProblemForgotten:   command("ctr-prune check --repair"),
	prune.ProblemGarbage:     command("ctr-prune check --repair"),
	prune.ProblemUnowned:     command("ctr-prune check --repair"),
	prune.ProblemExpired:     command("ctr-prune leases prune, or ctr-prune check --repair"),
	prune.ProblemInterrupted: command("ctr-prune check --repair, or any later run in this namespace"),
	prune.ProblemUnreadable:  command("provide what is missing; see ctr-prune --help"),
	prune.ProblemOldUpload:   func(ns string) string { return fmt.Sprintf("ctr-prune -n %s --ingests=24h", ns) },
}

func command(text string) func(string) string { return func(string) string { return text } }
