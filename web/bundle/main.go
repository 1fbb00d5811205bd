// Command bundle makes web/assets from web/src. It runs in the folder web, by go generate.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(web string) error {
	files, err := build(web)
	if err != nil {
		return err
	}
	return write(web, files)
}
