"""Compare DesiredState, Lock and ActualState. The result is a Diff. Nothing here reads or writes files."""
