// Package kubelet learns from the kubelet's own list which images the pods of
// a node need.
//
// containerd and CRI know a pod only once it has a sandbox, and an image only
// once a container uses it. A pod that was bound to the node a moment ago, one
// whose init containers still run, and one that backs off between restarts
// need images that nothing in containerd refers to. The kubelet's endpoint
// /pods, or a file with its answer, names them.
package kubelet
