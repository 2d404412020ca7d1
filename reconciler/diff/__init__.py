"""DesiredState, Lock and ActualState to Diff; pure."""
