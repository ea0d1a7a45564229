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
