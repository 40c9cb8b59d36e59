package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/harness/docker"
)

// newJanitorCommand is what removes the containers of a run that was killed: nobody else needs it.
func newJanitorCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "janitor ENGINE IMAGE",
		Short:  "Removes what a run in containers left behind when it was killed, started by run --env containers",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return docker.Clean(cmd.Context(), os.Stdin, args[0], args[1])
		},
	}
}
