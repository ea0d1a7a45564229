package prune

import (
	"fmt"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
)

// The codes of reasons. docs/json.md says of each what it means and which parts
// it has.
const (
	// Why a record stays or goes.
	codeUnused         Code = "unused"
	codeDangling       Code = "unused-dangling"
	codeExpired        Code = "expired"
	codeInUse          Code = "in-use"
	codeLeaseHolds     Code = "lease-holds"
	codeReferredBy     Code = "referred"
	codeRootLabel      Code = "root-label"
	codePinned         Code = "pinned"
	codeUnreadable     Code = "unreadable"
	codeStandsIn       Code = "stands-in"
	codeBelongsTo      Code = "belongs-to"
	codePartOf         Code = "part-of"
	codeSubjectGoes    Code = "subject-goes"
	codeKeepsAlive     Code = "keeps-alive"
	codeReferredByKept Code = "referred-by-image"
	codeTogether       Code = "kept-together"
	codeStandIn        Code = "stand-in"
	codeStandInTaken   Code = "stand-in-taken"
	codeStandInExpired Code = "stand-in-expired"
	codeBlocked        Code = "blocked"
	codeContentMissing Code = "content-missing"
	codeContentHeld    Code = "content-held"

	// Why nothing is removed from a namespace.
	codeHistory      Code = "build-history"
	codeClientFailed Code = "client-failed"
	// These are also made by the packages that ask the clients.
	codeDockerNotAsked  Code = "docker-not-asked"
	codeDockerOffline   Code = "docker-offline"
	codeDockerMissing   Code = "docker-socket-missing"
	codeDockerUntrusted Code = "docker-socket-untrusted"
	codePodsEmpty       Code = "pods-list-empty"
	codePodsUntrusted   Code = "pods-file-untrusted"
	codePodsDenied      Code = "pods-token-refused"

	// Why a record of a plan is left alone.
	codeNotChosen    Code = "not-in-plan-file"
	codeNotPlanned   Code = "not-planned"
	codeNothing      Code = "nothing-asked"
	codeGone         Code = "gone"
	codeRemoved      Code = "removed-by-others"
	codeMoved        Code = "moved"
	codeRewritten    Code = "rewritten"
	codeRelabelled   Code = "labels-changed"
	codeNamesChanged Code = "names-changed"
	codeNeeded       Code = "needed"
	codeTooLong      Code = "record-too-large"
	codeTooMany      Code = "plan-too-large"
	codeCRIUnknown   Code = "cri-unknown"
	codeCRIShows     Code = "cri-shows"
	codeContentGone  Code = "content-gone"
	codeNameTaken    Code = "name-taken"
	codeNotPutBack   Code = "not-restored"

	// Why an upload stays or goes.
	codeLatelyWritten Code = "written-lately"
	codeAbandoned     Code = "abandoned"

	// Why a lease stays or goes.
	codeLeaseExpired      Code = "lease-expired"
	codeLeaseExpiredSince Code = "lease-expired-since"
	codeLeaseInterrupted  Code = "lease-interrupted-run"
	codeLeaseRunning      Code = "lease-run"
	codeLeaseUndo         Code = "lease-undo"
	codeLeaseGrace        Code = "lease-grace"
	codeLeaseBuildkit     Code = "lease-buildkit"
	codeLeaseDocker       Code = "lease-docker"
	codeLeaseMount        Code = "lease-docker-mount"
	codeLeasePod          Code = "lease-pod"
	codeLeasePull         Code = "lease-pull"
	codeLeaseOther        Code = "lease-other"
)

// sentence puts a cause in words.
func (c Cause) sentence() string {
	p := c.ReasonParts
	if p == nil {
		p = &parts{}
	}
	return sentences[c.ReasonCode](p)
}

// sentences are the words for each code, but for those of filters, which have
// their own. Names come from the store and may read
// like anything, so that words are made here and never taken apart.
var sentences = map[Code]func(*parts) string{
	codeUnused:      fixed("unused"),
	codeDangling:    fixed("unused and dangling"),
	codeExpired:     fixed("has expired, and nothing that lives refers to it: any garbage collection removes it"),
	codeInUse:       func(p *parts) string { return "in use by " + p.some() },
	codeLeaseHolds:  func(p *parts) string { return fmt.Sprintf("held by lease %q", p.Lease) },
	codeReferredBy:  func(p *parts) string { return "referred to by " + p.Holder },
	codeRootLabel:   func(p *parts) string { return "kept by its label " + p.Label },
	codePinned:      func(p *parts) string { return fmt.Sprintf("pinned by label %s on %q", p.Label, p.Image) },
	codeUnreadable:  func(p *parts) string { return p.Detail + ", and so it may belong to an image that stays" },
	codeStandsIn:    func(p *parts) string { return "stands in for an image in use by " + p.some() },
	codeBelongsTo:   func(p *parts) string { return fmt.Sprintf("belongs to %q, which stays", p.Image) },
	codePartOf:      func(p *parts) string { return fmt.Sprintf("is part of %q, which stays", p.Image) },
	codeSubjectGoes: func(p *parts) string { return fmt.Sprintf("belongs to %q, which goes", p.Image) },
	codeKeepsAlive: func(p *parts) string {
		return fmt.Sprintf("%q, which stays, lives only while this record does", p.Image)
	},
	codeReferredByKept: func(p *parts) string { return fmt.Sprintf("referred to by %q, which stays", p.Image) },
	codeTogether:       together,
	codeStandIn: func(p *parts) string {
		return fmt.Sprintf("the name goes and %q takes its place: its image is in use by %s", p.Image, p.some())
	},
	codeStandInTaken:   func(p *parts) string { return p.noStandIn("is another image") },
	codeStandInExpired: func(p *parts) string { return p.noStandIn("has expired") },
	codeBlocked:        func(p *parts) string { return "nothing is removed: " + p.Detail },
	codeContentMissing: fixed("its content is not in the store"),
	codeContentHeld:    func(p *parts) string { return "its content stays, held by " + p.Holder },

	codeHistory:         func(p *parts) string { return "build history is kept in this namespace; " + freed(p.Command) },
	codeClientFailed:    detail,
	codeDockerNotAsked:  detail,
	codeDockerOffline:   detail,
	codeDockerMissing:   detail,
	codeDockerUntrusted: detail,
	codePodsEmpty:       detail,
	codePodsUntrusted:   detail,
	codePodsDenied:      detail,

	codeNotChosen:    fixed("not in the plan file"),
	codeNotPlanned:   fixed("the plan does not remove it"),
	codeNothing:      fixed("nothing is to go"),
	codeGone:         fixed("it is gone"),
	codeRemoved:      fixed("somebody else removed it since the plan was made"),
	codeMoved:        fixed("it was moved to another image since the plan was made"),
	codeRewritten:    fixed("it was written again since the plan was made"),
	codeRelabelled:   fixed("its labels were changed since the plan was made"),
	codeNamesChanged: fixed("what else names its image has changed since the plan was made"),
	codeNeeded:       func(p *parts) string { return "since the plan was made: " + p.Because.Reason },
	codeTooLong:      fixed("its name, labels and annotations are too long to be written down, so that it could not be put back"),
	codeTooMany:      fixed("the plan of this run is as long as one may be: run again for the rest"),
	codeCRIUnknown:   fixed("what CRI makes of it could not be learned"),
	codeCRIShows:     func(p *parts) string { return fmt.Sprintf("CRI would go on showing it as %q: %s", p.Name, p.Detail) },
	codeContentGone:  fixed("its content is gone"),
	codeNameTaken:    func(p *parts) string { return fmt.Sprintf("the name was taken meanwhile, by %s", p.Target) },
	codeNotPutBack:   detail,

	codeLatelyWritten: func(p *parts) string {
		return fmt.Sprintf("last written to less than %s ago", time.Duration(p.AgeSeconds)*time.Second)
	},
	codeAbandoned: func(p *parts) string { return "abandoned: last written to at " + p.Time.UTC().Format(time.RFC3339) },

	codeLeaseExpired:      fixed("expired: containerd no longer honours it"),
	codeLeaseExpiredSince: fixed("expired since the leases were listed: containerd no longer honours it"),
	codeLeaseInterrupted:  fixed("left by an interrupted run, which is finished first"),
	codeLeaseRunning:      fixed("a run is under way"),
	codeLeaseUndo:         fixed("holds what a run removed while it is undone; it expires by itself"),
	codeLeaseGrace:        fixed("keeps what a run removed, so that it can be undone"),
	codeLeaseBuildkit:     func(p *parts) string { return "belongs to buildkit; " + letsGo(p.LeaseKind, p.Command) },
	codeLeaseDocker: func(p *parts) string {
		return "holds the files of a Docker container, running or stopped; `" + p.Command + "` frees them"
	},
	codeLeaseMount: fixed("belongs to Docker, for an image mount or a build; it goes with the container or the build"),
	codeLeasePod:   fixed("belongs to a pod of Kubernetes, and goes with it"),
	codeLeasePull:  fixed("a pull or build in progress, or one that was interrupted; it expires by itself"),
	codeLeaseOther: fixed("belongs to another client, which alone knows whether it is needed"),

	codeBlobMissing:   lacking("%s is not in the store"),
	codeConfigMissing: lacking("its config %s is not in the store"),
	codeLayerMissing:  lacking("its layer %s is neither in the store nor unpacked"),
	codeAttestation:   lacking("%s is an attestation, which does not run"),
	codeCircle:        lacking("%s refers to itself"),
}

func fixed(text string) func(*parts) string { return func(*parts) string { return text } }

// detail is what another said, which is a sentence.
func detail(p *parts) string { return p.Detail }

func together(p *parts) string {
	text := fmt.Sprintf("CRI keeps the names of an image together, and %q stays", p.Image)
	if p.Because != nil {
		text += ": " + p.Because.Reason
	}
	return text
}

func (p *parts) noStandIn(because string) string {
	return fmt.Sprintf("its image is in use by %s, and %q, which would take its place, %s", p.some(), p.Image, because)
}

// freed says by which command an object is let go.
func freed(command string) string { return "`" + command + "` frees it" }

// letsGo says how the owner of a lease lets go of what it holds, "" if there is
// nothing to say.
func letsGo(kind leases.Kind, command string) string {
	switch {
	case command != "":
		return freed(command)
	case kind == leases.KindBuild:
		return "it goes with the build, or when buildkit starts again"
	default:
		return ""
	}
}

// some names the first of several and counts the rest.
func (p *parts) some() string {
	texts := make([]string, len(p.Users))
	for i, u := range p.Users {
		texts[i] = u.String()
	}
	if p.More > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts, ", "), p.More)
	}
	return strings.Join(texts, " and ")
}
