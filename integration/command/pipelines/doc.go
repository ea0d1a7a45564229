// Package pipelines runs the examples for continuous integration, deploy/github-action,
// gitlab, buildkite and jenkins: their scripts are taken from the files as they
// stand there, and executed as the runner does, on a real containerd.
package pipelines
