// Package manifests reads manifests, indexes and configs, each once and up to a
// limited size: what a target refers to, the labels of its configs, and what is
// missing from an image.
package manifests
