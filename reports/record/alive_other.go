//go:build !unix

package record

import "os"

func hold(*os.File) error { return nil }

func held(string) bool { return true }
