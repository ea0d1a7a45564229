// Package flow is the way up to a measured plan: read, plan, measure.
package flow
