"""Reads a setup.cfg as data."""

import configparser

_MOST_LINES = 5_000  # `configparser` takes quadratic time for the errors in a file


def parse_setup_cfg(text: str) -> configparser.ConfigParser:
    """Return the sections of a setup.cfg; none if it is invalid, or has more than 5,000 lines."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text if text.count("\n") <= _MOST_LINES else "")
    except configparser.Error:
        return configparser.ConfigParser(interpolation=None)
    return parser
