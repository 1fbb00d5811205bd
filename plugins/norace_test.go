//go:build !race

package plugins

const race = false
