"""The manifest: from YAML text to Manifest (pydantic models) to DesiredState (plain values)."""
