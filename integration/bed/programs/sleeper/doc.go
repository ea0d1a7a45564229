// Command sleeper is what containers of the tests run: it waits until it is
// told to end, and says so. With the argument "exit" it ends at once, and with
// "spin" it keeps a processor busy while it waits.
package main
