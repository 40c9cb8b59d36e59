//go:build !race

package hunt_test

const raced = false
