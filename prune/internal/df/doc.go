// Package df tells what a store holds and who holds it.
package df
