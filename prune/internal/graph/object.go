package graph

import (
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Object names one thing in a store.
type Object struct {
	// Kind is "image", "content", "snapshot", "container", "sandbox", "lease"
	// or "upload"; in a chain also gc.KindOmitted.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	// Name is the record's name, the digest, the snapshot as
	// "snapshotter/key", or the ID.
	Name string `json:"name"`
}

func (o Object) String() string {
	return fmt.Sprintf("%s %s (namespace %s)", o.Kind, o.Name, o.Namespace)
}

var KindNames = map[Kind]string{
	KindImage: "image", KindContent: "content", KindSnapshot: "snapshot", KindContainer: "container",
	KindSandbox: "sandbox", KindLease: "lease", KindIngest: "upload",
}

func (n Node) Object() Object {
	return Object{Kind: KindNames[n.Kind], Namespace: n.Ns, Name: n.Key}
}

func ImageNode(ns, name string) Node { return Node{Kind: KindImage, Ns: ns, Key: name} }

func ContentNode(ns string, dgst digest.Digest) Node {
	return Node{Kind: KindContent, Ns: ns, Key: dgst.String()}
}
