package cause

import (
	"fmt"
	"strings"
	"time"
)

// The codes of reasons. docs/json.md says of each what it means and which parts
// it has.
const (
	// Why a record stays or goes.
	CodeUnused         Code = "unused"
	CodeDangling       Code = "unused-dangling"
	CodeExpired        Code = "expired"
	CodeInUse          Code = "in-use"
	CodeLeaseHolds     Code = "lease-holds"
	CodeReferredBy     Code = "referred"
	CodeRootLabel      Code = "root-label"
	CodePinned         Code = "pinned"
	CodeUnreadable     Code = "unreadable"
	CodeStandsIn       Code = "stands-in"
	CodeBelongsTo      Code = "belongs-to"
	CodePartOf         Code = "part-of"
	CodeSubjectGoes    Code = "subject-goes"
	CodeKeepsAlive     Code = "keeps-alive"
	CodeReferredByKept Code = "referred-by-image"
	CodeTogether       Code = "kept-together"
	CodeStandIn        Code = "stand-in"
	CodeStandInTaken   Code = "stand-in-taken"
	CodeStandInExpired Code = "stand-in-expired"
	CodeBlocked        Code = "blocked"
	CodeContentMissing Code = "content-missing"
	CodeContentHeld    Code = "content-held"

	// Why nothing is removed from a namespace.
	CodeHistory      Code = "build-history"
	CodeClientFailed Code = "client-failed"
	// These are also made by the packages that ask the clients.
	CodeDockerNotAsked  Code = "docker-not-asked"
	CodeDockerOffline   Code = "docker-offline"
	CodeDockerMissing   Code = "docker-socket-missing"
	CodeDockerUntrusted Code = "docker-socket-untrusted"
	CodePodsEmpty       Code = "pods-list-empty"
	CodePodsUntrusted   Code = "pods-file-untrusted"
	CodePodsDenied      Code = "pods-token-refused"

	// Why a record of a plan is left alone.
	CodeNotChosen    Code = "not-in-plan-file"
	CodeNotPlanned   Code = "not-planned"
	CodeNothing      Code = "nothing-asked"
	CodeGone         Code = "gone"
	CodeRemoved      Code = "removed-by-others"
	CodeMoved        Code = "moved"
	CodeRewritten    Code = "rewritten"
	CodeRelabelled   Code = "labels-changed"
	CodeNamesChanged Code = "names-changed"
	CodeNeeded       Code = "needed"
	CodeTooLong      Code = "record-too-large"
	CodeTooMany      Code = "plan-too-large"
	CodeCRIUnknown   Code = "cri-unknown"
	CodeCRIShows     Code = "cri-shows"
	CodeContentGone  Code = "content-gone"
	CodeNameTaken    Code = "name-taken"
	CodeNotPutBack   Code = "not-restored"

	// Why an upload stays or goes.
	CodeLatelyWritten Code = "written-lately"
	CodeAbandoned     Code = "abandoned"

	// Why a lease stays or goes.
	CodeLeaseExpired      Code = "lease-expired"
	CodeLeaseExpiredSince Code = "lease-expired-since"
	CodeLeaseInterrupted  Code = "lease-interrupted-run"
	CodeLeaseRunning      Code = "lease-run"
	CodeLeaseUndo         Code = "lease-undo"
	CodeLeaseGrace        Code = "lease-grace"
	CodeLeaseBuildkit     Code = "lease-buildkit"
	CodeLeaseDocker       Code = "lease-docker"
	CodeLeaseMount        Code = "lease-docker-mount"
	CodeLeasePod          Code = "lease-pod"
	CodeLeasePull         Code = "lease-pull"
	CodeLeaseOther        Code = "lease-other"
)

// sentence puts a cause in words.
func (c Cause) sentence() string {
	p := c.ReasonParts
	if p == nil {
		p = &Parts{}
	}
	return Sentences[c.ReasonCode](p)
}

// Sentences are the words for each code, but for those of filters, which have
// their own. Names come from the store and may read
// like anything, so that words are made here and never taken apart.
var Sentences = map[Code]func(*Parts) string{
	CodeUnused:      Fixed("unused"),
	CodeDangling:    Fixed("unused and dangling"),
	CodeExpired:     Fixed("has expired, and nothing that lives refers to it: any garbage collection removes it"),
	CodeInUse:       func(p *Parts) string { return "in use by " + p.some() },
	CodeLeaseHolds:  func(p *Parts) string { return fmt.Sprintf("held by lease %q", p.Lease) },
	CodeReferredBy:  func(p *Parts) string { return "referred to by " + p.Holder },
	CodeRootLabel:   func(p *Parts) string { return "kept by its label " + p.Label },
	CodePinned:      func(p *Parts) string { return fmt.Sprintf("pinned by label %s on %q", p.Label, p.Image) },
	CodeUnreadable:  func(p *Parts) string { return p.Detail + ", and so it may belong to an image that stays" },
	CodeStandsIn:    func(p *Parts) string { return "stands in for an image in use by " + p.some() },
	CodeBelongsTo:   func(p *Parts) string { return fmt.Sprintf("belongs to %q, which stays", p.Image) },
	CodePartOf:      func(p *Parts) string { return fmt.Sprintf("is part of %q, which stays", p.Image) },
	CodeSubjectGoes: func(p *Parts) string { return fmt.Sprintf("belongs to %q, which goes", p.Image) },
	CodeKeepsAlive: func(p *Parts) string {
		return fmt.Sprintf("%q, which stays, lives only while this record does", p.Image)
	},
	CodeReferredByKept: func(p *Parts) string { return fmt.Sprintf("referred to by %q, which stays", p.Image) },
	CodeTogether:       together,
	CodeStandIn: func(p *Parts) string {
		return fmt.Sprintf("the name goes and %q takes its place: its image is in use by %s", p.Image, p.some())
	},
	CodeStandInTaken:   func(p *Parts) string { return p.noStandIn("is another image") },
	CodeStandInExpired: func(p *Parts) string { return p.noStandIn("has expired") },
	CodeBlocked:        func(p *Parts) string { return "nothing is removed: " + p.Detail },
	CodeContentMissing: Fixed("its content is not in the store"),
	CodeContentHeld:    func(p *Parts) string { return "its content stays, held by " + p.Holder },

	CodeHistory:         func(p *Parts) string { return "build history is kept in this namespace; " + freed(p.Command) },
	CodeClientFailed:    detail,
	CodeDockerNotAsked:  detail,
	CodeDockerOffline:   detail,
	CodeDockerMissing:   detail,
	CodeDockerUntrusted: detail,
	CodePodsEmpty:       detail,
	CodePodsUntrusted:   detail,
	CodePodsDenied:      detail,

	CodeNotChosen:    Fixed("not in the plan file"),
	CodeNotPlanned:   Fixed("the plan does not remove it"),
	CodeNothing:      Fixed("nothing is to go"),
	CodeGone:         Fixed("it is gone"),
	CodeRemoved:      Fixed("somebody else removed it since the plan was made"),
	CodeMoved:        Fixed("it was moved to another image since the plan was made"),
	CodeRewritten:    Fixed("it was written again since the plan was made"),
	CodeRelabelled:   Fixed("its labels were changed since the plan was made"),
	CodeNamesChanged: Fixed("what else names its image has changed since the plan was made"),
	CodeNeeded:       func(p *Parts) string { return "since the plan was made: " + p.Because.Reason },
	CodeTooLong:      Fixed("its name, labels and annotations are too long to be written down, so that it could not be put back"),
	CodeTooMany:      Fixed("the plan of this run is as long as one may be: run again for the rest"),
	CodeCRIUnknown:   Fixed("what CRI makes of it could not be learned"),
	CodeCRIShows:     func(p *Parts) string { return fmt.Sprintf("CRI would go on showing it as %q: %s", p.Name, p.Detail) },
	CodeContentGone:  Fixed("its content is gone"),
	CodeNameTaken:    func(p *Parts) string { return fmt.Sprintf("the name was taken meanwhile, by %s", p.Target) },
	CodeNotPutBack:   detail,

	CodeLatelyWritten: func(p *Parts) string {
		return fmt.Sprintf("last written to less than %s ago", time.Duration(p.AgeSeconds)*time.Second)
	},
	CodeAbandoned: func(p *Parts) string { return "abandoned: last written to at " + p.Time.UTC().Format(time.RFC3339) },

	CodeLeaseExpired:      Fixed("expired: containerd no longer honours it"),
	CodeLeaseExpiredSince: Fixed("expired since the leases were listed: containerd no longer honours it"),
	CodeLeaseInterrupted:  Fixed("left by an interrupted run, which is finished first"),
	CodeLeaseRunning:      Fixed("a run is under way"),
	CodeLeaseUndo:         Fixed("holds what a run removed while it is undone; it expires by itself"),
	CodeLeaseGrace:        Fixed("keeps what a run removed, so that it can be undone"),
	CodeLeaseBuildkit:     func(p *Parts) string { return "belongs to buildkit; " + LetsGo(p.LeaseKind, p.Command) },
	CodeLeaseDocker: func(p *Parts) string {
		return "holds the files of a Docker container, running or stopped; `" + p.Command + "` frees them"
	},
	CodeLeaseMount: Fixed("belongs to Docker, for an image mount or a build; it goes with the container or the build"),
	CodeLeasePod:   Fixed("belongs to a pod of Kubernetes, and goes with it"),
	CodeLeasePull:  Fixed("a pull or build in progress, or one that was interrupted; it expires by itself"),
	CodeLeaseOther: Fixed("belongs to another client, which alone knows whether it is needed"),

	CodeBlobMissing:   lacking("%s is not in the store"),
	CodeConfigMissing: lacking("its config %s is not in the store"),
	CodeLayerMissing:  lacking("its layer %s is neither in the store nor unpacked"),
	CodeAttestation:   lacking("%s is an attestation, which does not run"),
	CodeCircle:        lacking("%s refers to itself"),
}

func Fixed(text string) func(*Parts) string { return func(*Parts) string { return text } }

// detail is what another said, which is a sentence.
func detail(p *Parts) string { return p.Detail }

func together(p *Parts) string {
	text := fmt.Sprintf("CRI keeps the names of an image together, and %q stays", p.Image)
	if p.Because != nil {
		text += ": " + p.Because.Reason
	}
	return text
}

func (p *Parts) noStandIn(because string) string {
	return fmt.Sprintf("its image is in use by %s, and %q, which would take its place, %s", p.some(), p.Image, because)
}

// freed says by which command an object is let go.
func freed(command string) string { return "`" + command + "` frees it" }

// some names the first of several and counts the rest.
func (p *Parts) some() string {
	texts := make([]string, len(p.Users))
	for i, u := range p.Users {
		texts[i] = u.String()
	}
	if p.More > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts, ", "), p.More)
	}
	return strings.Join(texts, " and ")
}

const CodeBlobMissing Code = "blob-missing"

const CodeConfigMissing Code = "config-missing"

const CodeLayerMissing Code = "layer-missing"

const CodeAttestation Code = "only-attestation"

// The codes of what an image lacks.
const (
	CodeCircle Code = "refers-to-itself"
)

// lacking puts it in words, of which the first is the blob.
func lacking(format string) func(*Parts) string {
	return func(p *Parts) string {
		text := fmt.Sprintf(format, p.Target)
		if p.Index {
			return "none of its platforms is complete; " + text
		}
		return text
	}
}
