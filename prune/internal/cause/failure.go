package cause

import "strings"

// The codes of what fails in a run. The words are those of the error.
const (
	CodeBusy            Code = "busy"
	CodeServerGone      Code = "server-gone"
	CodeNothingRemoved  Code = "nothing-removed"
	CodeNotDeleted      Code = "not-deleted"
	CodeNoStandIn       Code = "no-stand-in"
	CodeNotAborted      Code = "not-aborted"
	CodeLeaseEnds       Code = "lease-ends"
	CodeCRIFailed       Code = "cri-failed"
	CodeCRIUnresponsive Code = "cri-unresponsive"
	CodeProbeLeft       Code = "probe-left"
	CodeUpdateLost      Code = "update-lost"
	CodePlanLost        Code = "plan-lost"
	CodeImageLost       Code = "image-lost"
	CodeLabelsLeft      Code = "labels-left"
	CodeKeepAppearing   Code = "containers-keep-appearing"
	CodeNotFinished     Code = "not-finished"
	CodeNotUnlocked     Code = "not-unlocked"
	CodeSliceFailed     Code = "slice-failed"
	CodeNotMeasured     Code = "not-measured"
	CodeSnapshotterLost Code = "snapshotter-lost"
	CodeFilesNotRead    Code = "files-not-read"
	CodeFilesLeft       Code = "files-left"
	CodeNotRestored     Code = "not-restored"
	CodeFuse            Code = "fuse"
)

// Failed is an error as a cause: its words, and the code that it has itself, or
// else the given one.
func Failed(code Code, err error) Cause {
	if own := CodeOf(err); own != "" {
		code = own
	}
	return Cause{Reason: err.Error(), ReasonCode: code}
}

// Failures are the errors that [errors.Join] has joined, each as [Failed] makes
// it. Another error that wraps several is one.
func Failures(code Code, err error) []Cause {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []Cause{Failed(code, err)}
	}
	var all []Cause
	var texts []string
	for _, e := range joined.Unwrap() {
		all = append(all, Failures(code, e)...)
		texts = append(texts, e.Error())
	}
	if strings.Join(texts, "\n") != err.Error() {
		return []Cause{Failed(code, err)}
	}
	return all
}
