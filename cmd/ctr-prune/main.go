// Command ctr-prune removes unused images from a containerd store.
package main

import "os"

func main() { os.Exit(run()) }
