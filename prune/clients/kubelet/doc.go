// Package kubelet reads from the kubelet's own list which images the pods of a
// node need.
//
// containerd and CRI know about a pod only once it has a sandbox, and about its
// use of an image only once there is a container. A pod that has just been
// bound to the node, one whose init containers are still running and one that
// is in back-off between restarts need images that nothing in containerd refers
// to. The kubelet's endpoint /pods, or a file with its response, lists them.
package kubelet
