// Package root is a store in the root directory of a containerd that does not
// run, opened in this process under the locks of its databases.
package root
