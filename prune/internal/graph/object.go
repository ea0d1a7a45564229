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

// KindNames are the words for kinds of nodes, as in [Object].
var KindNames = map[Kind]string{
	KindImage: "image", KindContent: "content", KindSnapshot: "snapshot", KindContainer: "container",
	KindSandbox: "sandbox", KindLease: "lease", KindIngest: "upload",
}

// Object is the node as people and programs name it.
func (n Node) Object() Object {
	return Object{Kind: KindNames[n.Kind], Namespace: n.Namespace, Name: n.Key}
}

// ImageNode is the node of an image record.
func ImageNode(ns, name string) Node { return Node{Kind: KindImage, Namespace: ns, Key: name} }

// ContentNode is the node of a blob as a namespace knows it.
func ContentNode(ns string, dgst digest.Digest) Node {
	return Node{Kind: KindContent, Namespace: ns, Key: dgst.String()}
}
