// Package tasks has what a new user wants to do as scripts, in testdata: a
// question, the commands that answer it, and what the answer has to say. A script
// may only use commands, flags and filters that the help or an answer has shown
// before in the same script.
package tasks
