// Package manifests reads manifests, indexes and configs, each once and within
// bounds: what a target is about, the labels of its configs, and what an image
// lacks to be whole.
package manifests
