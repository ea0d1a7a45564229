package programs

// The exit codes that the command promises.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitBusy        = 3
	ExitUnreachable = 4
	ExitShort       = 5
	ExitInterrupted = 130
)
