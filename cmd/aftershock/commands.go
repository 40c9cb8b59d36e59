package main

import "github.com/spf13/cobra"

// commands lists every command there is.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newRunCommand(),
		newCompareCommand(),
		newReportCommand(),
		newExplainCommand(),
		newWatchCommand(),
		newFakewaCommand(),
		newSenderCommand(),
		newAgentCommand(),
		newDoctorCommand(),
		newSweepCommand(),
		newHuntCommand(),
		newPartCommand(),
		newJanitorCommand(),
		newScenarioCommand(),
		newVersionCommand(),
	}
}
