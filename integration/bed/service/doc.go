// Package service runs the daemons of other programs for tests: dockerd,
// buildkitd. Each ends with the test that started it, however that ends.
package service
