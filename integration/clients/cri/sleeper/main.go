// Command sleeper is what containers of the tests run: it waits until it is
// told to end, and says so. With the argument "exit" it ends at once, and with
// "spin" it keeps a processor busy while it waits.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "exit" {
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	fmt.Println("waiting")
	for len(os.Args) > 1 && os.Args[1] == "spin" && len(ended) == 0 {
	}
	<-ended
}
