// Package df computes what a store holds and who holds it.
package df
