"""Write the parts of the documentation that come from the code: `python -m docs.generate`.

The manifest's keys come from the models (through the JSON Schema), the commands from the typer application, and the
Python API from `reconciler.__all__`.
"""
