// Command install provides the parts named as arguments, or those that the
// integration tests need when none is named, and prints where they are.
//
//	go run ./integration/bed/parts/install [-list | -missing] [-within TIME] [-cluster | -chart | PART]...
package main
