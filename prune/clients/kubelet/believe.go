package kubelet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// questions is how often the list is requested before it counts as wrong, and
	// pause the time between two requests: a pod that was deleted by force is
	// missing from the list before its processes have ended.
	questions = 11
	pause     = 500 * time.Millisecond

	// annotationMirror is an annotation that the API server has for a static pod:
	// the hash of its manifest, which is its UID for the kubelet and CRI.
	annotationMirror = "kubernetes.io/config.mirror"
	// annotationSource is where the kubelet has heard of a pod.
	annotationSource = "kubernetes.io/config.source"
)

// doubtError says why a list may not be the complete list of this node's pods.
type doubtError struct{ error }

func (e doubtError) Unwrap() error { return e.error }

// believed returns the list once it can be believed, or why it cannot. After
// waiting in vain once it does not wait again, because a run asks several times
// and holds its lease meanwhile.
func (s *Source) believed(ctx context.Context, ns prune.Asked) ([]pod, error) {
	for left := questions; ; left-- {
		pods, err := s.question(ctx, ns)
		if _, doubt := errors.AsType[doubtError](err); !doubt {
			s.doubted = false
			return pods, err
		}
		if left == 1 || s.doubted {
			s.doubted = true
			return nil, err
		}
		if err := s.opts.Wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// question reads the list after the sandboxes, because the kubelet lists a pod
// before it creates its sandbox.
func (s *Source) question(ctx context.Context, ns prune.Asked) ([]pod, error) {
	sandboxes, err := ns.PodSandboxes(ctx)
	if err != nil {
		return nil, doubtError{fmt.Errorf("could not tell which pods run here: %w", err)}
	}
	text, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	pods, err := parsePods(text)
	if err != nil {
		return nil, err
	}
	if err := s.ofThisNode(pods); err != nil {
		return nil, err
	}
	return pods, s.judge(pods, sandboxes)
}

// ofThisNode returns an error if a list was asked for by the name of a node and has a
// pod of another one: whoever answers has not understood the question, and nobody
// knows what the list lacks.
func (s *Source) ofThisNode(pods []pod) error {
	if s.node == "" {
		return nil
	}
	for _, p := range pods {
		if p.Spec.NodeName != s.node {
			return fmt.Errorf("the list was asked for of node %.80q, and has pod %.300q of node %.80q: it is the list of another node, or of several", s.node, p.name(), p.Spec.NodeName)
		}
	}
	return nil
}

// judge compares a list with the pod sandboxes. Every pod with a sandbox that
// has not ended is in the list of a kubelet that has received its pods. A list in
// which the API server has no pod, although it had one here, may be that of a
// kubelet that has heard only of its static pods.
func (s *Source) judge(pods []pod, sandboxes []prune.PodSandbox) error {
	listed := make(map[string][]pod, len(pods))
	for _, p := range pods {
		listed[p.name()] = append(listed[p.name()], p)
	}
	var missing, ended []prune.PodSandbox
	for _, sandbox := range sandboxes {
		switch {
		case known(listed[sandbox.Namespace+"/"+sandbox.Name], sandbox.UID):
		case sandbox.State != prune.SandboxOver:
			missing = append(missing, sandbox)
		case isUUID(sandbox.UID):
			ended = append(ended, sandbox)
		}
	}
	switch {
	case len(missing) > 0:
		return lacks("lacks", missing)
	case len(ended) > 0 && !slices.ContainsFunc(pods, pod.fromAPI):
		return lacks("has no pod of the API server, and lacks", ended)
	case len(pods) == 0 && !s.opts.MayBeEmpty:
		return doubtError{&prune.CodeError{Code: "pods-list-empty", Err: errors.New("the list is empty, and no pod runs on this node. A kubelet that has just started also returns an empty list: try again later or, if this node has no pods, say so")}}
	}
	return nil
}

// known reports whether one of the pods with a name has the UID. If a list has
// no UIDs, the names are enough.
func known(pods []pod, uid string) bool {
	for _, p := range pods {
		if uid == "" || p.Metadata.UID == "" || p.Metadata.UID == uid || p.Metadata.Annotations[annotationMirror] == uid {
			return true
		}
	}
	return false
}

// fromAPI says whether the list tells of a pod that the API server has told of, or
// may have, as in lists that the kubelet has not made.
func (p pod) fromAPI() bool {
	_, mirrored := p.Metadata.Annotations[annotationMirror]
	source := p.Metadata.Annotations[annotationSource]
	return mirrored || source != "file" && source != "http"
}

// isUUID says whether a UID is one that the API server gives. That of a static pod
// is a hash.
func isUUID(uid string) bool {
	if len(uid) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i, c := range []byte(uid) {
		if (c == '-') != (i == 8 || i == 13 || i == 18 || i == 23) {
			return false
		}
	}
	return true
}

// lacks is the error that names the pods missing from a list. A pod may have
// several sandboxes.
func lacks(what string, missing []prune.PodSandbox) error {
	byPod := func(a, b prune.PodSandbox) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
	}
	slices.SortStableFunc(missing, byPod)
	missing = slices.CompactFunc(missing, func(a, b prune.PodSandbox) bool { return byPod(a, b) == 0 })
	first, more := missing[0], ""
	switch others := len(missing) - 1; others {
	case 0:
	case 1:
		more = ", and one other"
	default:
		more = fmt.Sprintf(", and %d others", others)
	}
	where := map[prune.SandboxState]string{
		prune.SandboxRuns:    "which runs here",
		prune.SandboxLeft:    "which ran here when the machine went down",
		prune.SandboxUnknown: "which may run here",
		prune.SandboxOver:    "which has ended here",
	}[first.State]
	name := first.Namespace + "/" + first.Name
	if first.Name == "" {
		name = "without a name"
	}
	return doubtError{fmt.Errorf("the list %s pod %.300q (UID %.80q, sandbox %.12s), %s%s: it is from another node or another time, or the kubelet has not heard of its pods yet; try again later",
		what, name, first.UID, first.ID, where, more)}
}

// sleep waits, or returns the error of the context if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
