"""YAML text to Manifest (pydantic) to DesiredState."""
