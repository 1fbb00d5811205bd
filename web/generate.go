package web

// The pages' code is bundled from src into assets, which is committed: building the program needs no Node.
// Generating needs uPlot in node_modules: npm ci, once.
//go:generate go run ./bundle
