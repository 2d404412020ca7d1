"""The access of the root as a setting: what the manifest says is compared with the mode that the root has."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.manifest.desired import Access
from reconciler.state.applied import Applied

ACCESS_BITS: Mapping[Access, int] = {"private": 0, "group": 0o050, "all": 0o055}


def access_name(bits: int) -> str:
    """Return the access that a root's permission bits of group and others give: a value of `access`, else octal."""
    return next((name for name, each in ACCESS_BITS.items() if each == bits), f"0{0o700 | bits:o}")


def with_present_access(applied: Mapping[str, Applied], access: Access | None, present: int) -> dict[str, Applied]:
    """Return what was last applied, with the access that the root has now as the setting `access`.

    `present` are the root's permission bits of group and others. Without `access` the mode of the root decides, and the
    setting is left out.
    """
    found = {}
    for name, each in applied.items():
        settings = dict(each.settings)
        if access is None:
            settings.pop("access", None)
        else:
            settings["access"] = access_name(present)
        found[name] = each if settings == each.settings else replace(each, settings=settings)
    return found
