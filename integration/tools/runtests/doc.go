// Command runtests is `make test`: it provides the real programs that the
// integration tests need, lets gotestsum run the packages that are named, and
// removes what tests that died have left. gotestsum shows a failure at once,
// and in the end again, with what was not run and why.
package main
