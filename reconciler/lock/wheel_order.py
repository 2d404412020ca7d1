"""Which of several wheels of one version is best: what uv and pip choose, where PEP 751 leaves it open.

With equal tags the higher build number wins (PEP 427), and a wheel without one loses. A wheel for plain `linux` is
worse than one for manylinux or musllinux, as in uv and in pip before 26.3. Without this rule the choice would depend on
the version of `packaging`.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from packaging.pylock import PackageWheel, Pylock
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename


def tags_in_order(tags: Iterable[str]) -> list[Tag]:
    """Return PEP 425 tags (text, best first); among those that differ in platform only, plain `linux` comes last."""
    parsed = [Tag(*text.split("-", 2)) for text in tags]
    groups = groupby(parsed, key=lambda tag: (tag.interpreter, tag.abi))
    return [tag for _, group in groups for tag in sorted(group, key=lambda tag: tag.platform.startswith("linux_"))]


def wheels_in_order(pylock: Pylock) -> Pylock:
    """Return a lock with the wheels of each package in descending order of their build numbers."""
    packages = [
        replace(package, wheels=sorted(package.wheels, key=_build, reverse=True)) if package.wheels else package
        for package in pylock.packages
    ]
    return replace(pylock, packages=packages)


def _build(wheel: PackageWheel) -> tuple[int, str] | tuple[()]:
    try:
        return parse_wheel_filename(wheel.filename)[2]
    except InvalidWheelFilename:  # the selection reports it
        return ()
