// Package cri runs real pods for tests: a private containerd with its CRI
// plugin and runc, spoken to over the CRI socket as a kubelet does.
//
// Pods share the network and the IPC namespace of the machine, so that no
// CNI plugin is needed.
package cri
