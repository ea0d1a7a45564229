package cause

import (
	"cmp"
	"fmt"
	"time"
)

// The codes of reasons. docs/json.md says of each what it means and which parts
// it has.
const (
	// Why a record is kept or removed.
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
	CodeKeepsWhole     Code = "keeps-whole"
	CodeReferredByKept Code = "referred-by-image"
	CodeTogether       Code = "kept-together"
	CodeStandIn        Code = "stand-in"
	CodeStandInTaken   Code = "stand-in-taken"
	CodeStandInExpired Code = "stand-in-expired"
	CodeBlocked        Code = "blocked"
	CodeContentMissing Code = "content-missing"
	CodeContentHeld    Code = "content-held"

	// Why a policy file keeps a record, or lets it go.
	CodeProtectedName   Code = "protected-name"
	CodeProtectedLabel  Code = "protected-label"
	CodeProtectedUnread Code = "protected-labels-unreadable"
	CodeMinAge          Code = "min-age"
	CodeMinAgeUnknown   Code = "min-age-unknown"
	CodeNoRule          Code = "no-rule"
	CodeRuleAll         Code = "rule-all"
	CodeRuleLast        Code = "rule-last"
	CodeRuleWithin      Code = "rule-within"
	CodeRuleUsed        Code = "rule-used-within"
	CodeRuleUnwatched   Code = "rule-use-unwatched"
	CodeRuleWatched     Code = "rule-use-watched-since"
	CodeRuleAgeUnknown  Code = "rule-age-unknown"
	CodeRuleGoes        Code = "rule-removes"
	CodeRuleDepends     Code = "rule-conditions"

	// Why nothing is removed from a namespace.
	CodeHistory      Code = "build-history"
	CodeClientFailed Code = "client-failed"
	CodeSilent       Code = "snapshotter-silent"
	CodeUnread       Code = "namespace-unread"
	// These are also made by the packages that ask the clients.
	CodeDockerNotAsked  Code = "docker-not-asked"
	CodeDockerOffline   Code = "docker-offline"
	CodeDockerMissing   Code = "docker-socket-missing"
	CodeDockerUntrusted Code = "docker-socket-untrusted"
	CodeDockerNotGone   Code = "docker-not-gone"
	CodePodsEmpty       Code = "pods-list-empty"
	CodePodsUntrusted   Code = "pods-file-untrusted"
	CodePodsDenied      Code = "pods-token-refused"
	CodePodsCertificate Code = "pods-certificate"

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
	CodeNotKept      Code = "not-kept"

	// Why an upload is kept or aborted.
	CodeLatelyWritten Code = "written-lately"
	CodeAbandoned     Code = "abandoned"

	// Why a lease is kept or deleted.
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

// The notes of a plan, and why an object that was to be freed still exists.
const (
	CodeRunning        Code = "run-in-progress"
	CodeImageAbsent    Code = "image-absent"
	CodeImageUnnamed   Code = "image-unnamed"
	CodeDockerNoImages Code = "docker-no-images"
	CodeNotLoaded      Code = "snapshotter-not-loaded"
	CodeStillHeld      Code = "still-held"
	CodeStillCollected Code = "not-collected"
	CodeUnmeasured     Code = "snapshots-unmeasured"
	CodeLookalike      Code = "label-without-effect"
	CodeRecordLabel    Code = "label-of-record"
)

// sentence puts a cause in words.
func (c Cause) sentence() string {
	return Sentences[c.ReasonCode](cmp.Or(c.ReasonParts, noParts))
}

// noParts are those of most causes, of which there may be hundreds of thousands.
var noParts = &Parts{}

// Sentences are the words for each code, but for those of filters, which have
// their own. Names come from the store and may contain any text, so sentences
// are built here and never parsed.
var Sentences = map[Code]func(*Parts) string{
	CodeUnused:      Fixed("unused"),
	CodeDangling:    Fixed("unused and dangling"),
	CodeExpired:     Fixed("has expired, and nothing that is kept refers to it: the next garbage collection removes it"),
	CodeInUse:       func(p *Parts) string { return "in use by " + p.some() },
	CodeLeaseHolds:  func(p *Parts) string { return fmt.Sprintf("held by lease %q", p.Lease) },
	CodeReferredBy:  func(p *Parts) string { return "referred to by " + p.Holder },
	CodeRootLabel:   func(p *Parts) string { return "kept by its label " + p.Label },
	CodePinned:      func(p *Parts) string { return fmt.Sprintf("pinned by label %s on %q", p.Label, p.Image) },
	CodeUnreadable:  func(p *Parts) string { return p.Detail + ", so it may belong to an image that is kept" },
	CodeStandsIn:    func(p *Parts) string { return "stands in for an image in use by " + p.some() },
	CodeBelongsTo:   func(p *Parts) string { return fmt.Sprintf("belongs to %q, which is kept", p.Image) },
	CodePartOf:      func(p *Parts) string { return fmt.Sprintf("is part of %q, which is kept", p.Image) },
	CodeSubjectGoes: func(p *Parts) string { return fmt.Sprintf("belongs to %q, which is removed", p.Image) },
	CodeKeepsAlive: func(p *Parts) string {
		return fmt.Sprintf("%q, which is kept, exists only as long as this record", p.Image)
	},
	CodeKeepsWhole: func(p *Parts) string {
		return fmt.Sprintf("%q, which is kept, has all of its content only as long as this record exists", p.Image)
	},
	CodeReferredByKept: func(p *Parts) string { return fmt.Sprintf("referred to by %q, which is kept", p.Image) },
	CodeTogether:       together,
	CodeStandIn: func(p *Parts) string {
		return fmt.Sprintf("the name is removed and replaced by %q, because its image is in use by %s", p.Image, p.some())
	},
	CodeStandInTaken:   func(p *Parts) string { return p.noStandIn("names another image") },
	CodeStandInExpired: func(p *Parts) string { return p.noStandIn("has expired") },
	CodeBlocked: func(p *Parts) string {
		return "the next garbage collection would remove what must be kept: " + p.Detail
	},
	CodeContentMissing: Fixed("its content is not in the store"),
	CodeContentHeld:    func(p *Parts) string { return "its content is held by " + p.Holder },

	CodeProtectedName:  func(p *Parts) string { return "protected by the policy's pattern " + p.Filter },
	CodeProtectedLabel: func(p *Parts) string { return "protected by the policy: its config has the label " + p.Label },
	CodeProtectedUnread: func(p *Parts) string {
		return "the policy protects labels, and those of its config cannot be read: " + p.Detail
	},
	CodeMinAge:         func(p *Parts) string { return p.younger("younger than the policy's minAge") },
	CodeMinAgeUnknown:  func(p *Parts) string { return "its age cannot be read, and the policy's minAge is " + p.Filter },
	CodeNoRule:         Fixed("no rule of the policy matches it"),
	CodeRuleAll:        func(p *Parts) string { return p.byRule() },
	CodeRuleLast:       func(p *Parts) string { return p.byRule() + ": " + p.place() },
	CodeRuleWithin:     func(p *Parts) string { return p.younger(p.byRule() + ": younger than") },
	CodeRuleUsed:       func(p *Parts) string { return p.since(p.byRule() + ": used within " + p.Filter + ", last") },
	CodeRuleUnwatched:  func(p *Parts) string { return p.unwatched() + "use is not watched" },
	CodeRuleWatched:    func(p *Parts) string { return p.since(p.unwatched() + "use is watched only since") },
	CodeRuleAgeUnknown: func(p *Parts) string { return p.byRule() + ": its age cannot be read" },
	CodeRuleGoes:       goes,
	CodeRuleDepends:    func(p *Parts) string { return fmt.Sprintf("rule %q keeps %s", p.Rule, p.Filter) },

	CodeHistory:      func(p *Parts) string { return "this namespace holds build history; " + freed(p.Command) },
	CodeClientFailed: detail,
	CodeSilent:       silent,
	CodeUnread: func(p *Parts) string {
		return fmt.Sprintf("namespace %q could not be read, so all that it is known to have counts as held, and sizes are estimates: %s", p.Namespace, p.Detail)
	},
	CodeDockerNotAsked:  detail,
	CodeDockerOffline:   detail,
	CodeDockerMissing:   detail,
	CodeDockerUntrusted: detail,
	CodeDockerNotGone:   detail,
	CodePodsEmpty:       detail,
	CodePodsUntrusted:   detail,
	CodePodsDenied:      detail,
	CodePodsCertificate: detail,

	CodeNotChosen:    Fixed("not in the plan file"),
	CodeNotPlanned:   Fixed("the plan does not remove it"),
	CodeNothing:      Fixed("there is nothing to remove"),
	CodeGone:         Fixed("it is gone"),
	CodeEnough:       Fixed("could go, but enough is freed without it"),
	CodeFreesNothing: Fixed("could go, but that would free nothing of what has to be freed"),
	CodeReserved:     Fixed("could go, but containerd would be left with less than the policy reserves for it"),
	CodeShort:        unreached,

	CodeRemoved:      Fixed("somebody else has removed it since the plan was made"),
	CodeMoved:        Fixed("it has been moved to another image since the plan was made"),
	CodeRewritten:    Fixed("it has been updated since the plan was made"),
	CodeRelabelled:   Fixed("its labels have changed since the plan was made"),
	CodeNamesChanged: Fixed("the other names of its image have changed since the plan was made"),
	CodeNeeded:       func(p *Parts) string { return "since the plan was made: " + p.Because.Reason },
	CodeTooLong:      Fixed("its name, labels and annotations are too long to be recorded, so it could not be restored"),
	CodeTooMany:      Fixed("the plan has reached its maximum size: run again for the rest"),
	CodeCRIUnknown:   Fixed("CRI could not be asked about it"),
	CodeCRIShows:     func(p *Parts) string { return fmt.Sprintf("CRI would still show it as %q: %s", p.Name, p.Detail) },
	CodeContentGone:  Fixed("its content is gone"),
	CodeNameTaken:    func(p *Parts) string { return fmt.Sprintf("the name is now taken by %s", p.Target) },
	CodeNotPutBack:   detail,
	CodeNotKept: func(p *Parts) string {
		return fmt.Sprintf("run %s keeps nothing in namespace %q any more: its lease there was deleted, or what it removed was restored before, or it removed nothing", p.Run, p.Namespace)
	},

	CodeLatelyWritten: func(p *Parts) string {
		return fmt.Sprintf("last written to less than %s ago", age(time.Duration(p.AgeSeconds)*time.Second))
	},
	CodeAbandoned: func(p *Parts) string { return "abandoned: last written to at " + p.Time.UTC().Format(time.RFC3339) },

	CodeLeaseExpired:      Fixed("expired: containerd no longer honours it"),
	CodeLeaseExpiredSince: Fixed("expired since the leases were listed: containerd no longer honours it"),
	CodeLeaseInterrupted:  Fixed("left by an interrupted run, which will be finished first"),
	CodeLeaseRunning:      Fixed("a run is in progress"),
	CodeLeaseUndo:         Fixed("holds what a run removed while that run is being undone; it expires by itself"),
	CodeLeaseGrace:        Fixed("keeps what a run removed, so that it can be undone"),
	CodeLeaseBuildkit:     func(p *Parts) string { return "belongs to buildkit; " + ReleaseCommand(p.LeaseKind, p.Command) },
	CodeLeaseDocker: func(p *Parts) string {
		return "holds the files of a Docker container, running or stopped; `" + p.Command + "` frees them"
	},
	CodeLeaseMount: Fixed("belongs to Docker, for an image mount or a build; it is removed together with the container or the build"),
	CodeLeasePod:   func(p *Parts) string { return fmt.Sprintf("belongs to pod %s and is removed together with it", p.Name) },
	CodeLeasePull:  Fixed("a pull or build in progress, or one that was interrupted; it expires by itself"),
	CodeLeaseOther: Fixed("belongs to another client; only that client knows whether it is still needed"),

	CodeWrongSize:   func(p *Parts) string { return "it has " + p.Detail },
	CodeWrongDigest: Fixed("it has another digest"),

	CodeBlobsUnseen: func(p *Parts) string { return "the files of blobs and uploads were not checked: " + p.Detail },
	CodeSnapshotsUnseen: func(p *Parts) string {
		return fmt.Sprintf("the files of snapshotter %q were not checked: %s", p.Name, p.Detail)
	},

	CodeRunning: func(p *Parts) string {
		return fmt.Sprintf("another run is in progress in namespace %q, so that the store changes while this is shown", p.Namespace)
	},
	CodeImageAbsent: func(p *Parts) string {
		return fmt.Sprintf("%s%s image %q, which is not in the store", p.some(), p.verb(" uses", " use"), p.Image)
	},
	CodeImageUnnamed: func(p *Parts) string {
		return p.some() + p.verb(" names no image and is", " name no image and are") + " based on none"
	},
	CodeDockerNoImages: func(p *Parts) string {
		return fmt.Sprintf("namespace %q has no images, so Docker was not asked about it: if it keeps its images elsewhere, `docker image prune` removes them", p.Namespace)
	},
	CodeNotLoaded: func(p *Parts) string {
		return fmt.Sprintf("images of namespace %q (%d) are unpacked in snapshotter %q, which containerd has not loaded: what is based on their snapshots, and their size, is unknown", p.Namespace, p.Blobs, p.Name)
	},
	CodeUnmeasured: unmeasured,
	CodeLookalike: func(p *Parts) string {
		return fmt.Sprintf("label %s on %q does not keep it, although it looks so; this does: %s", p.Label, p.Image, p.Command)
	},
	CodeRecordLabel: func(p *Parts) string {
		return fmt.Sprintf("its record has label %s, but a filter asks for labels that the image was built with", p.Label)
	},
	CodeStillHeld: func(p *Parts) string { return p.stillThere("held by " + p.Holder) },
	CodeStillCollected: func(p *Parts) string {
		return p.stillThere("nothing refers to it any more; a later garbage collection will remove it")
	},

	CodeBlobMissing:   lacking("%s is not in the store"),
	CodeConfigMissing: lacking("its config %s is not in the store"),
	CodeLayerMissing:  lacking("its layer %s is neither in the store nor unpacked"),
	CodeAttestation:   lacking("%s is an attestation, not an image that can run"),
	CodeCircle:        lacking("%s refers to itself"),
}
