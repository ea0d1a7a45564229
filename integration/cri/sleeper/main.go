// Command sleeper is what containers of the tests run: it waits until it is
// told to end, and says so, or ends at once when it is given the argument
// "exit".
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
	<-ended
}
