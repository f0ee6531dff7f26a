// Open Policy Agent itself, at the version that go.sum holds.
package main

import (
	"os"

	"github.com/open-policy-agent/opa/cmd"
)

func main() {
	if cmd.RootCommand.Execute() != nil {
		os.Exit(1)
	}
}
