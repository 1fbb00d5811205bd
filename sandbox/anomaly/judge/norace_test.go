//go:build !race

package judge

const race = false
