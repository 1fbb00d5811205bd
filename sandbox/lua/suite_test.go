package lua

import (
	"os"
	"path/filepath"
	"testing"

	"sandbar/sandbox/sandboxtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "testdata", "subject", "subject.lua"))
	if err != nil {
		t.Fatal(err)
	}
	sandboxtest.Run(t, sandboxtest.Engine{Parse: ParseConfig, Load: Load, Filename: "subject.lua", Source: source})
}
