package main

import (
	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/harness/part"
)

// newPartCommand is what the processes and containers of a run are: nobody else needs it.
func newPartCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "part SPEC [DOOR=HOST:PORT]...",
		Short:  "One part of a run's system, started by run --env processes and containers",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := part.Load(args)
			if err != nil {
				return usageError(err)
			}
			return part.Run(cmd.Context(), spec)
		},
	}
}
