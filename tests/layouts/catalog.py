"""All layouts, by name."""

from collections.abc import Mapping

from tests.layouts.hatchling_layouts import HATCHLING
from tests.layouts.layout import Layout
from tests.layouts.other_layouts import OTHERS
from tests.layouts.setuptools_layouts import SETUPTOOLS

LAYOUTS: Mapping[str, Layout] = {each.name: each for each in (*SETUPTOOLS, *HATCHLING, *OTHERS)}
