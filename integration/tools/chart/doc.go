// Package chart tests the Helm chart of ctr-prune, deploy/helm/ctr-prune, and what is
// rendered of it for those without helm, deploy/kubernetes. What needs helm has the
// tag deploy and is run by make test-chart, because helm takes long to build.
package chart
