// Package ci tests .ci/run, which runs all checks.
package ci
