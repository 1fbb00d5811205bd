// Sandbar hosts strangers' stream code; see README.md.
package main

import (
	"os"

	"sandbar/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr)) }
