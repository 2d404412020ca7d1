"""Values as YAML in the style of the documentation: short collections on one line, double quotes only if needed."""

from textwrap import indent

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes double quotes where PyYAML writes single ones."""

    def choose_scalar_style(self) -> str:
        """Return the style of the next scalar."""
        style = str(super().choose_scalar_style())
        return '"' if style == "'" else style


def flow(value: object) -> str:
    """Return a value on one line; an empty string in quotes."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=1000)
    return str(text).removesuffix("\n").removesuffix("\n...")


def block(value: dict[str, object]) -> str:
    """Return a mapping as lines, its innermost collections each on one line, with a line break at the end."""
    lines = []
    for key, each in value.items():
        if isinstance(each, dict | list) and any(isinstance(part, dict) for part in _parts(each)):
            text = str(yaml.dump(each, Dumper=_Dumper, default_flow_style=None, sort_keys=False, width=1000))
            lines.append(f"{key}:\n{indent(text, '  ')}")
        else:
            lines.append(f"{key}: {flow(each)}\n")
    return "".join(lines)


def _parts(value: dict[str, object] | list[object]) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value
