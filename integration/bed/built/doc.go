// Package built builds programs of this module for the tests of a package.
package built
