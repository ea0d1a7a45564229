// Command runtests is `make test`: it runs the unit and property tests, builds
// the real programs that the integration tests need, runs those, and says in
// the end what passed, what failed and what could not be run here, and why.
package main
