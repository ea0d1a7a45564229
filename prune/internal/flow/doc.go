// Package flow combines the steps up to a measured plan: read, plan, measure.
package flow
