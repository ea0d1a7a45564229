// Package workloads finds which images the workloads of a Kubernetes cluster need, in
// what kubectl get -o json prints of them.
package workloads
