// One program for what applications and workloads do in end-to-end tests; by hand and with libraries that weft does not use.
//
//	app serve …      an application: HTTP/1.1, HTTP/2, gRPC and TCP, that says who it is and what it sees of its caller
//	app load …       a client: steady load that counts every answer and retries none
//	app ca …         a workload at the certificate service: asks, and judges what it gets
//	app attack …     requests to the certificate service that must be refused, or answered with the caller's own name alone
//	app flood …      many requests at once
//	app authorize …  what proxies ask whether a request may pass: OPA
package main

import (
	"fmt"
	"os"
)

type command struct {
	name string
	run  func(arguments []string) error
}

var commands = []command{
	{"serve", serve},
	{"load", load},
	{"ca", caAsk},
	{"attack", caAttack},
	{"flood", caFlood},
	{"authorize", authorize},
}

func main() {
	for _, c := range commands {
		if len(os.Args) > 1 && os.Args[1] == c.name {
			if err := c.run(os.Args[2:]); err != nil {
				fmt.Fprintf(os.Stderr, "app %s: %v\n", c.name, err)
				os.Exit(1)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: app serve|load|ca|attack|flood [flags]; -h after a command lists its flags")
	os.Exit(2)
}
