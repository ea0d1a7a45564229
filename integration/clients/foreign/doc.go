// Package foreign holds the tests with images that programs of others make and
// move: a registry, skopeo and umoci.
package foreign
