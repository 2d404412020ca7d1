"""Plan, Event and Result to text and JSON; pure."""
