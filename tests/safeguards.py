"""Remove each safeguard in turn and show that a test fails without it: `python -m tests.safeguards [--only NAME]`.

Each safeguard is removed from a copy of the checkout, and only its own tests are run. They must pass with it and fail
without it. `tests/test_safeguards.py` checks that the text to remove is still in the source.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten

from tests.checkout import copied_checkout
from tests.faults.even_sample import halving_order
from tests.repository_files import ROOT

_LONGEST_SECONDS = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """Code that keeps a promise. If `text` in `file` is replaced by `instead`, one of `tests` must fail."""

    name: str
    promise: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]


SAFEGUARDS = (
    Safeguard(
        name="values in the errors of a manifest",
        promise="an error in a manifest quotes no value that may be a secret",
        file="reconciler/manifest/masked_source.py",
        text="        masked = may_be_secret(path) and not _may_be_shown(path, event)\n",
        instead="        masked = False\n",
        tests=("tests/manifest/test_no_error_quotes_a_secret.py",),
    ),
    Safeguard(
        name="values in the errors of a manifest that is not valid YAML",
        promise="a syntax error quotes no value that may be a secret",
        file="reconciler/manifest/masked_source.py",
        text="            self._as_text = mask_lines(self.lines)\n",
        instead="            self._as_text = list(self.lines)\n",
        tests=("tests/manifest/test_no_error_quotes_a_secret.py",),
    ),
    Safeguard(
        name="the values of the shell in the digest of a lock",
        promise="no value of a variable can be found by trial with a committed lock",
        file="reconciler/lock/freshness.py",
        text="generated, names if variables.hashes else variables.variables)",
        instead="generated, variables.recorded)",
        tests=("tests/lock/test_inputs.py",),
    ),
    Safeguard(
        name="the deleted entries of a split index",
        promise="a root that was removed with `git rm --cached` is not refused because an older index still has it",
        file="reconciler/git/tracked_below.py",
        text=" and position not in deleted and ",
        instead=" and ",
        tests=("tests/git/test_split_index.py",),
    ),
    Safeguard(
        name="what runs at every start",
        promise="a file that Python runs at every start is a finding of its own, also at depth `metadata`",
        file="reconciler/observe/environment.py",
        text="            venv.compare_startup(inventory, ignore_files)\n",
        instead="",
        tests=("tests/observe/test_cases.py",),
    ),
    Safeguard(
        name="what runs at every start, on the fast path",
        promise="a startup file that is edited in place is seen although its directory is unchanged",
        file="reconciler/fastpath/metadata_columns.py",
        text="        if _CUSTOMIZE.fullmatch(name):\n            return True\n",
        instead="",
        tests=("tests/fastpath/test_startup_files.py",),
    ),
    Safeguard(
        name="the number of combinations of a matrix",
        promise="a manifest of a few lines cannot declare millions of environments",
        file="reconciler/manifest/matrix_checks.py",
        text="        if (count := combinations(self.axes)) > MAX_COMBINATIONS:",
        instead="        if (count := combinations(self.axes)) < 0:",
        tests=("tests/manifest/test_matrix.py",),
    ),
    Safeguard(
        name="the characters of an axis's value",
        promise="a value that replaces a placeholder cannot add a marker, a URL or an option to a requirement",
        file="reconciler/manifest/names.py",
        text="    if not re.fullmatch(AXIS_VALUE_PATTERN, text):",
        instead="    if not text:",
        tests=("tests/manifest/test_bad_manifests.py",),
    ),
    Safeguard(
        name="the credentials in an invalid URL",
        promise="a hint that shows an index without credentials has none either if the URL cannot be parsed",
        file="reconciler/manifest/urls.py",
        text="        return redact_url(url)\n",
        instead="        return url\n",
        tests=("tests/manifest/test_project_sources.py",),
    ),
    Safeguard(
        name="the border of a repository",
        promise="a manifest reads no file outside its repository and `allow_paths`",
        file="reconciler/manifest/reach.py",
        text="next((each for each in (self.top, *self.allowed) if is_within(real, each)), None)",
        instead="self.top if is_within(real, self.top) else Path(real.anchor)",
        tests=("tests/manifest/test_reach.py",),
    ),
    Safeguard(
        name="the names of files outside a repository",
        promise="a file with a token, which is a valid requirements file, is not read in a directory of `allow_paths`",
        file="reconciler/manifest/reach.py",
        text="if start != self.top and not _READ_OUTSIDE.fullmatch(real.name):",
        instead="if start is None:",
        tests=("tests/manifest/test_reach.py",),
    ),
    Safeguard(
        name="the text of files outside a repository",
        promise="an error shows no line of a file outside the repository",
        file="reconciler/manifest/reach.py",
        text="return is_within(_real(path), self.top)",
        instead="return _real(path) is not None",
        tests=("tests/manifest/test_reach.py",),
    ),
    Safeguard(
        name="links that take the place of a directory",
        promise="the file that was checked is the one that is read, even if a link takes the place of its directory",
        file="reconciler/fs/read_beneath.py",
        text="os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC",
        instead="os.O_DIRECTORY | os.O_CLOEXEC",
        tests=("tests/manifest/test_reach.py::test_a_link_that_is_swapped_in_after_the_check_is_not_followed",),
    ),
    Safeguard(
        name="values that are not public",
        promise="no plan, snapshot or report has the value of a variable that the manifest does not make public",
        file="reconciler/diff/masking.py",
        text="each if name in shown else mask((key, name), each) for name",
        instead="each for name",
        tests=("tests/plan/test_masking.py",),
    ),
    Safeguard(
        name="values that are not public in the output of programs",
        promise="the output of a hook that fails has no argument and no variable that is not public",
        file="reconciler/apply/probe.py",
        text="credentials_of(env, disclosure.secrets)",
        instead="credentials_of(env)",
        tests=("tests/functional/test_no_document_has_a_secret.py",),
    ),
    Safeguard(
        name="credentials are bound to a host",
        promise="a host that takes the name of an index does not get its credentials",
        file="reconciler/engines/uv_credentials.py",
        text='        _refuse_other_host(index, given.get(host_variable(index.name), ""))\n',
        instead="",
        tests=("tests/engines/test_uv_credentials.py",),
    ),
    Safeguard(
        name="credentials are not in the environment of builds",
        promise="no build backend finds the password of an index in its environment",
        file="reconciler/engines/uv.py",
        text="            **allowed_environment(ambient),\n",
        instead="            **allowed_environment(ambient),\n            **index_credentials(ambient, index_names),\n",
        tests=("tests/engines/test_uv_commands.py",),
    ),
    Safeguard(
        name="the filter of indexes",
        promise="no index is asked for a package that it must not serve",
        file="reconciler/engines/index_filter.py",
        text="            if pinned_to(found[2], indexes):",
        instead="            if not found:",
        tests=("tests/engines/test_index_filter.py",),
    ),
    Safeguard(
        name="the filter of indexes and proxies",
        promise="no proxy sees the requests to the filter",
        file="reconciler/engines/uv_indexes.py",
        text="environment=_without_proxy(ambient) if filtered else {}",
        instead="environment={}",
        tests=("tests/engines/test_index_filter.py",),
    ),
    Safeguard(
        name="the lock of a generation is bound to its seal",
        promise="a rollback rebuilds only what the seal names",
        file="reconciler/apply/rebuild_generation.py",
        text="    _refuse_other_packages(last.packages, packages, tools.locks)\n",
        instead="",
        tests=("tests/functional/test_one_edit_spoils_no_generation_for_good.py",),
    ),
    Safeguard(
        name="the modes of cached files",
        promise="a repair does not bring back an edited mode",
        file="reconciler/apply/environment.py",
        text="            self._verify_modes(records, self._inventory)\n",
        instead="",
        tests=("tests/functional/test_one_edit_spoils_no_generation_for_good.py",),
    ),
    Safeguard(
        name="the cached files of a damaged package are deleted",
        promise="a damaged cached file is fetched again, whatever its source",
        file="reconciler/engines/uv.py",
        text="        if request.refresh:\n",
        instead="        if False:\n",
        tests=("tests/functional/test_one_edit_spoils_no_generation_for_good.py",),
    ),
    Safeguard(
        name="editable projects in the engine's cache",
        promise="a damaged cached file of an editable project is built again",
        file="reconciler/engines/uv.py",
        text="(*editable_entries(cache, names), *entries)",
        instead="entries",
        tests=("tests/functional/test_a_damaged_cache_is_repaired.py",),
    ),
    Safeguard(
        name="the lock of the engine's cache",
        promise="nothing is deleted from the cache that another process of the engine uses",
        file="reconciler/engines/uv_cache.py",
        text="if not lock_file(descriptor, fcntl.LOCK_EX, timeout):",
        instead="if False:",
        tests=("tests/engines/test_uv_cache.py",),
    ),
    Safeguard(
        name="overlaps are settled",
        promise="if several packages contain a file, every build installs the same one",
        file="reconciler/apply/build.py",
        text="            settle_overlaps(context.engine, request, document, target.interpreter.markers)\n",
        instead="",
        tests=("tests/functional/test_two_packages_contain_the_same_file.py",),
    ),
    Safeguard(
        name="overlaps are settled inside the environment only",
        promise="installing a package again deletes no file outside the environment",
        file="reconciler/apply/overlaps.py",
        text="    if not (overlaps.again and inside):\n",
        instead="    if not overlaps.again:\n",
        tests=("tests/apply/test_overlaps.py",),
    ),
    Safeguard(
        name="the place of a rebuilt generation",
        promise="a rollback that is repeated does not go forward",
        file="reconciler/apply/rollback.py",
        text="    place = {number: seal.applied.rebuilt_from or number for number, seal in sealed.items()}\n",
        instead="    place = {number: number for number in sealed}\n",
        tests=("tests/functional/test_one_edit_spoils_no_generation_for_good.py",),
    ),
    Safeguard(
        name="a rollback that is done",
        promise="an error after the rename says so, and the record is kept",
        file="reconciler/apply/republish.py",
        text="            flush_error = error  # after the rename: what is published must also be recorded\n",
        instead="            raise\n",
        tests=("tests/faults/test_after_the_rename.py",),
    ),
    Safeguard(
        name="the names of local projects",
        promise="the name of a local project never comes from an index",
        file="reconciler/lock/resolve.py",
        text="    check_local_names(packages, environment.local_names)\n",
        instead="",
        tests=("tests/hints/test_indexes.py",),
    ),
    Safeguard(
        name="members of a workspace without a source",
        promise="a dependency with the name of a member is refused before anything is resolved",
        file="reconciler/manifest/project_sources.py",
        text="            if not fitting and wanted.name in members",
        instead="            if False and wanted.name in members",
        tests=("tests/manifest/test_project_sources.py",),
    ),
    Safeguard(
        name="the comparison of a committed lock with the manifest",
        promise="a pull request that changes only a lock cannot install from another host",
        file="reconciler/lock/renamed_lock.py",
        text="        require_allowed(lock, environment, desired)\n",
        instead="        pass\n",
        tests=("tests/lock/test_refusals.py",),
    ),
    Safeguard(
        name="the comparison of the lock of another tool with the manifest",
        promise="a changed uv.lock or poetry.lock cannot install from another host or repository",
        file="reconciler/lock/refused_lock.py",
        text="    if refusals and source is not None:\n",
        instead="    if False:\n",
        tests=("tests/lock/test_foreign_refusals.py",),
    ),
    Safeguard(
        name="the hosts of an index",
        promise="a lock cannot name a file on a host that its index does not use",
        file="reconciler/manifest/index_hosts.py",
        text="    return encrypted and not {origin.place",
        instead="    return encrypted or not {origin.place",
        tests=("tests/lock/test_refusals.py",),
    ),
    Safeguard(
        name="the hashes of a lock of another tool",
        promise="only files that the lock allows are installed",
        file="reconciler/lock/foreign_lock.py",
        text='if wheel["hashes"].get("sha256") in pin.hashes]',
        instead="]",
        tests=("tests/lock/test_foreign_lock.py",),
    ),
    Safeguard(
        name="the flush",
        promise="after exit 0 the result survives a power cut",
        file="reconciler/fs/sync.py",
        text="            failed = libc.syncfs(descriptor)\n",
        instead="            failed = 0\n",
        tests=("tests/faults/test_power.py",),
    ),
    Safeguard(
        name="the root mutex",
        promise="one apply at a time works in a root",
        file="reconciler/state/root_mutex.py",
        text="        locked = _lock(layout, descriptor, timeout)\n",
        instead="        locked = True\n",
        tests=("tests/state/test_root_mutex.py", "tests/functional/test_an_orphan_keeps_the_root.py"),
    ),
    Safeguard(
        name="the seal",
        promise="an unfinished generation is never used",
        file="reconciler/apply/collect.py",
        text="if state.seal(name, number) is not None:",
        instead="if True:",
        tests=("tests/functional/test_a_killed_apply_is_put_right.py", "tests/faults/test_short_sweep.py"),
    ),
    Safeguard(
        name="the name in the seal",
        promise="the seal of a different generation does not count",
        file="reconciler/state/store.py",
        text="        if seal is not None and (seal.applied.name, seal.applied.generation) != own:",
        instead="        if False:",
        tests=("tests/state/test_store.py",),
    ),
    Safeguard(
        name="the owner of a renamed generation",
        promise="a link alone gives no generation away: the mark in the generation must name the same environment",
        file="reconciler/state/former_name.py",
        text="    return home if home and owner_of(generations, home, number) == name else name\n",
        instead="    return home or name\n",
        tests=("tests/apply/test_rename.py",),
    ),
    Safeguard(
        name="the journal of a rename",
        promise="a rename that was interrupted is finished before anything else",
        file="reconciler/apply/recover.py",
        text="    finish_renames(state)\n",
        instead="",
        tests=("tests/apply/test_rename.py",),
    ),
    Safeguard(
        name="one name of an unfinished rename",
        promise="readers see the former name until the new one is published, so that nothing is planned for both",
        file="reconciler/state/store.py",
        text="            if name in hidden:\n",
        instead="            if False:\n",
        tests=("tests/apply/test_rename.py",),
    ),
    Safeguard(
        name="the path of a renamed environment",
        promise="a rename replaces nothing that envsync did not make",
        file="reconciler/apply/rename.py",
        text="        raise foreign_path(path)\n",
        instead="        pass\n",
        tests=("tests/apply/test_rename.py",),
    ),
    Safeguard(
        name="the manifest of a renamed environment",
        promise="a rename takes nothing from another manifest",
        file="reconciler/plan/rename.py",
        text="    if owner is not None and owner.manifest and not policy.take_over:\n",
        instead="    if False:\n",
        tests=("tests/plan/test_cases.py",),
    ),
    Safeguard(
        name="the access of the root",
        promise="a root that must be private is closed, whatever its mode was",
        file="reconciler/apply/set_access.py",
        text="        root.chmod(mode | bits)\n",
        instead="        pass\n",
        tests=("tests/functional/test_the_manifest_says_who_may_read.py",),
    ),
    Safeguard(
        name="the access in the fast path",
        promise="a root whose mode was changed is not taken for unchanged",
        file="reconciler/fastpath/unchanged.py",
        text='        if agreement["access"] != self._reading["access"]:  # the mode of the root was changed since\n'
        "            return None\n",
        instead="",
        tests=("tests/functional/test_the_manifest_says_who_may_read.py",),
    ),
    Safeguard(
        name="the seal of the inventory",
        promise="files are compared with the sealed inventory",
        file="reconciler/state/inventory_file.py",
        text='    if digest not in {"", inventory.digest}:',
        instead="    if False:",
        tests=("tests/functional/test_check_finds_and_apply_puts_right.py",),
    ),
    Safeguard(
        name="the verification against the lock",
        promise="the lock selects exactly what is installed",
        file="reconciler/apply/environment.py",
        text="            verify_lock(self._target.packages or (), self._observed)\n",
        instead="",
        tests=("tests/functional/test_what_was_built_is_verified.py",),
    ),
    Safeguard(
        name="the verification against RECORD",
        promise="every installed file is the one in its wheel",
        file="reconciler/apply/environment.py",
        text="            verify_records(records, self._inventory, compiled, overlaps.replaced)\n",
        instead="",
        tests=("tests/functional/test_what_was_built_is_verified.py",),
    ),
    Safeguard(
        name="the inode check",
        promise="envsync deletes only what it made, not what took its place",
        file="reconciler/state/generation_identity.py",
        text="    if found != _text(generation, os.fstat(directory).st_ino, venv):",
        instead="    if False:",
        tests=("tests/state/test_generation_identity.py", "tests/functional/test_only_what_was_made_is_deleted.py"),
    ),
    Safeguard(
        name="the check on the way up",
        promise="a directory that is moved away while it is deleted does not take the deletion elsewhere",
        file="reconciler/fs/remove_tree.py",
        text="        if _identity(self.current) != level.parent:\n",
        instead="        if False:\n",
        tests=("tests/fs/test_remove_tree.py",),
    ),
    Safeguard(
        name="the text of a collected path",
        promise="a symbolic link that envsync did not make is not taken for the path of a collected generation",
        file="reconciler/state/layout.py",
        text="    return text == CURRENT or bool(linked_home(text, CURRENT))\n",
        instead="    return bool(text)\n",
        tests=("tests/functional/test_a_recorded_path_keeps_working.py",),
    ),
    Safeguard(
        name="the lock of a scratch directory",
        promise="the scratch directory of a live process, for example in another container, is not deleted",
        file="reconciler/processes/scratch.py",
        text="    fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        instead="",
        tests=("tests/processes/test_scratch.py",),
    ),
    Safeguard(
        name="the second read of changed state",
        promise="a reader during an apply sees one consistent state",
        file="reconciler/observe/consistent_read.py",
        text="    for _ in range(_MOST_READS):",
        instead="    for _ in ():",
        tests=("tests/functional/test_a_reader_during_an_apply_sees_no_half_state.py",),
    ),
    Safeguard(
        name="the journal of an adoption",
        promise="the user's own environment comes back after a kill",
        file="reconciler/apply/publish.py",
        text="            moving.rename(path)\n            restored.append",
        instead="            restored.append",
        tests=("tests/faults/test_adoption.py",),
    ),
    Safeguard(
        name="the end of an adoption that did not happen",
        promise="a killed adoption can be repeated",
        file="reconciler/apply/publish.py",
        text="                moving.unlink()\n                _forget_adoption(moving.parent)\n        elif os.path",
        instead="                pass\n        elif os.path",
        tests=("tests/faults/test_adoption.py",),
    ),
    Safeguard(
        name="the look at the path before publish",
        promise="a foreign link at the path is not replaced",
        file="reconciler/apply/publish.py",
        text="        if layout.published_number(name) == 0 and not layout.renamed_to(name):\n",
        instead="        if False:\n",
        tests=("tests/functional/test_what_appears_at_the_path_is_not_replaced.py",),
    ),
    Safeguard(
        name="the look at the path before delete",
        promise="a foreign link at the path is not deleted",
        file="reconciler/apply/publish.py",
        text="    if layout.published_number(name) == 0:\n        raise foreign_path(path)\n    path.unlink",
        instead="    path.unlink",
        tests=("tests/functional/test_what_appears_at_the_path_is_not_replaced.py",),
    ),
    Safeguard(
        name="the look at the path before adopt",
        promise="a link that took the place of a directory is not moved",
        file="reconciler/apply/publish.py",
        text="    if path.is_symlink() or not path.is_dir():\n        raise foreign_path(path)\n",
        instead="",
        tests=("tests/functional/test_what_appears_at_the_path_is_not_replaced.py",),
    ),
    Safeguard(
        name="the lock of `run`",
        promise="a generation in use is not collected, without /proc either",
        file="reconciler/run.py",
        text="        if not lock_file(mark, fcntl.LOCK_SH, _MARK_SECONDS):\n            raise BlockingIOError\n",
        instead="",
        tests=("tests/functional/test_what_is_in_use_is_kept.py",),
    ),
    Safeguard(
        name="the look at that lock",
        promise="a generation whose lock is held is not collected",
        file="reconciler/apply/in_use.py",
        text=" or _is_locked(each)\n",
        instead="\n",
        tests=("tests/functional/test_what_is_in_use_is_kept.py",),
    ),
    Safeguard(
        name="the look at /proc",
        promise="a generation that a process uses without `run` is not collected",
        file="reconciler/apply/in_use.py",
        text="if str(each.directory) in named or ",
        instead="if ",
        tests=("tests/functional/test_what_is_in_use_is_kept.py",),
    ),
    Safeguard(
        name="the border of the environment in RECORD",
        promise="a wheel that reaches out of its environment is refused by the path that it has",
        file="reconciler/apply/verify_build.py",
        text='            if inside.startswith("../"):',
        instead="            if False:",
        tests=("tests/apply/test_verify_build.py",),
    ),
    Safeguard(
        name="the stop check before a step",
        promise="after a signal no further step starts",
        file="reconciler/apply/environment.py",
        text="        if not self.published:\n            self.context.check_stop()\n",
        instead="",
        tests=("tests/functional/test_a_stop_is_obeyed_between_two_steps.py",),
    ),
    Safeguard(
        name="the stop check before a probe",
        promise="after a signal no further probe starts",
        file="reconciler/apply/environment.py",
        text="            self.context.check_stop()\n            passed",
        instead="            passed",
        tests=("tests/functional/test_a_stop_is_obeyed_between_two_steps.py",),
    ),
    Safeguard(
        name="the check for mounts",
        promise="what is mounted in a tree is not deleted with it",
        file="reconciler/fs/remove_tree.py",
        text="            _refuse_mounts(top, above)\n",
        instead="",
        tests=("tests/fs/test_remove_tree.py",),
    ),
    Safeguard(
        name="the device of a directory",
        promise="what is mounted during a deletion is not entered",
        file="reconciler/fs/remove_tree.py",
        text="        if os.fstat(self.current).st_dev != self._device:",
        instead="        if False:",
        tests=("tests/fs/test_remove_tree.py",),
    ),
    Safeguard(
        name="the guard against `.pth` files",
        promise="the fast path does not answer for directories outside of the environment",
        file="reconciler/fastpath/record_environment.py",
        text="None if _has_outside_directories(venv, inventory) else ",
        instead="",
        tests=("tests/fastpath/test_what_lies_outside.py",),
    ),
    Safeguard(
        name="links to directories in the walk",
        promise="a link to a directory is one entry and is not entered",
        file="reconciler/fastpath/record_environment.py",
        text="entry.is_dir(follow_symlinks=False)",
        instead="entry.is_dir()",
        tests=("tests/fastpath/test_what_lies_outside.py",),
    ),
    Safeguard(
        name="an unreadable input",
        promise="what the manifest is read from and cannot be read is not unchanged",
        file="reconciler/fastpath/agreement.py",
        text="        except OSError:\n            return False\n        if not sha256",
        instead="        except OSError:\n            continue\n        if not sha256",
        tests=("tests/fastpath/test_what_lies_outside.py",),
    ),
    Safeguard(
        name="what a restore needs, before a delete",
        promise="a full disk does not delete an environment that can then not be restored",
        file="reconciler/apply/environment.py",
        text="        self._remains = self._keep_remains()\n        try:\n",
        instead="        try:\n",
        tests=("tests/faults/test_full_disk.py",),
    ),
    Safeguard(
        name="the record before a rollback",
        promise="a rollback that fails on a full disk is not repeated one generation further back",
        file="reconciler/apply/republish.py",
        text="    with state.recording(applied):\n        try:\n",
        instead="    publish(state.layout, applied.name, applied.generation)\n"
        "    with state.recording(applied):\n        try:\n",
        tests=("tests/faults/test_full_disk.py",),
    ),
    Safeguard(
        name="the report of an unreadable directory",
        promise="an unreadable directory is not unchanged",
        file="reconciler/observe/file_changes.py",
        text="directory or _TOP, True\n                self._unreadable(directory, error)\n",
        instead="directory or _TOP, True\n",
        tests=(
            "tests/functional/test_what_cannot_be_read_is_not_unchanged.py",
            "tests/observe/test_file_changes.py",
        ),
    ),
    Safeguard(
        name="the project at the top",
        promise="`plan --against` compares a project at the top of the repository",
        file="reconciler/revision/tracked_files.py",
        text='"" if relative == "." else f"{relative}/"',
        instead='f"{relative}/"',
        tests=(
            "tests/functional/test_a_change_is_shown_against_a_revision.py::test_a_project_at_the_top_of_the_repository_is_compared",
        ),
    ),
    Safeguard(
        name="the quick look at the state's modes",
        promise="the fast path finds what is closed to those who may read the root",
        file="reconciler/fastpath/unchanged.py",
        text='    if any(lacks_access(f"{root}/.envsync{each}", access) for each in _STATE_DIRECTORIES):\n',
        instead="    if False:\n",
        tests=("tests/fastpath/test_same_answer_as_the_full_program.py",),
    ),
    Safeguard(
        name="the release that the link means",
        promise="a release that no link means has a different manifest, which deletes nothing",
        file="reconciler/state/owner.py",
        text="    return os.path.realpath(root / recorded) == os.path.realpath(file)\n",
        instead="    return os.path.exists(root / recorded)\n",
        tests=("tests/state/test_owner.py",),
    ),
    Safeguard(
        name="the hold",
        promise="applies leave a held environment alone",
        file="reconciler/plan/environment.py",
        text="    return EnvironmentDraft(plan=replace(draft.plan, hold=applied.hold))\n",
        instead="    return replace(draft, plan=replace(draft.plan, hold=applied.hold))\n",
        tests=("tests/plan/test_cases.py", "tests/functional/test_a_held_environment_is_left_alone.py"),
    ),
    Safeguard(
        name="the hold before the publish",
        promise="a killed `rollback --hold` leaves no older generation that is not held",
        file="reconciler/apply/rollback.py",
        text="    record_hold(state, current, hold)\n",
        instead="",
        tests=("tests/functional/test_a_held_environment_is_left_alone.py",),
    ),
    Safeguard(
        name="the hold on the fast path",
        promise="a held environment is never reported as unchanged",
        file="reconciler/fastpath/record_environment.py",
        text="        or applied.hold is not None  # every plan and check reports it\n",
        instead="",
        tests=("tests/functional/test_a_held_environment_is_left_alone.py",),
    ),
    Safeguard(
        name="the hold since the plan",
        promise="a plan that was made before a hold is not applied",
        file="reconciler/apply/perform.py",
        text="    if held:\n",
        instead="    if False:\n",
        tests=("tests/functional/test_a_held_environment_is_left_alone.py",),
    ),
    Safeguard(
        name="the generation to come back to",
        promise="while a hold lasts, gc keeps the generation that the rollback replaced",
        file="reconciler/apply/collect.py",
        text=" | came_from",
        instead="",
        tests=("tests/functional/test_a_held_environment_is_left_alone.py",),
    ),
    Safeguard(
        name="the format of a hold",
        promise="an envsync that knows no holds does not change a held environment",
        file="reconciler/state/store.py",
        text="form = FORMAT if applied.hold else _FORMAT_WITHOUT_HOLD",
        instead="form = _FORMAT_WITHOUT_HOLD",
        tests=("tests/state/test_hold.py",),
    ),
    Safeguard(
        name="the time of an adopted environment",
        promise="the directory that `--adopt` replaced is not collected before `keep_deleted` is over",
        file="reconciler/apply/collect.py",
        text="    return adopted is not None and now < adopted.keep_until",
        instead="    return False",
        tests=("tests/apply/test_restore_adopted.py",),
    ),
    Safeguard(
        name="the identity of an adopted environment",
        promise="only the directory that was adopted is put at the environment's path",
        file="reconciler/apply/restore_adopted.py",
        text="    _refuse_other_directory(generation)\n",
        instead="",
        tests=("tests/apply/test_restore_adopted.py",),
    ),
    Safeguard(
        name="the comparison of a staged generation",
        promise="what is staged is published only if every file is as sealed",
        file="reconciler/apply/stage.py",
        text="        if not found.intact:\n",
        instead="        if False:\n",
        tests=("tests/functional/test_what_is_staged_is_published_later.py",),
    ),
    Safeguard(
        name="the state that was staged for",
        promise="a staged generation does not replace what changed since",
        file="reconciler/plan/staging.py",
        text="    changed = prior(actual, interpreter_of(new)) != note.prior\n",
        instead="    changed = False\n",
        tests=("tests/functional/test_what_is_staged_is_published_later.py", "tests/plan/test_cases.py"),
    ),
    Safeguard(
        name="the mark of a staged generation",
        promise="recovery does not delete what is staged",
        file="reconciler/apply/recover.py",
        text=" and not is_staged(state, name, number):",
        instead=":",
        tests=("tests/functional/test_what_is_staged_is_published_later.py",),
    ),
    Safeguard(
        name="the record of a trial",
        promise="a killed run leaves a trial that the next one finishes",
        file="reconciler/apply/environment.py",
        text="                    begin_trial(self.context.state, self.plan.name, self.new.number)\n",
        instead="                    pass\n",
        tests=("tests/functional/test_a_failed_generation_is_rolled_back.py",),
    ),
    Safeguard(
        name="the look at the previous generation",
        promise="a generation that is not sound is not published instead of one that failed",
        file="reconciler/apply/trial.py",
        text="    problem = set_aside_because(generation) or _damage(state, previous)\n",
        instead='    problem = ""\n',
        tests=("tests/functional/test_a_failed_generation_is_rolled_back.py",),
    ),
    Safeguard(
        name="what a trial may return to",
        promise="the collection keeps the generation that a trial may publish again",
        file="reconciler/apply/collect.py",
        text=" | needed | unreadable",
        instead=" | unreadable",
        tests=("tests/functional/test_a_failed_generation_is_rolled_back.py",),
    ),
    Safeguard(
        name="the count of the runs of a trial",
        promise="a check that always ends the run does not keep a generation for ever",
        file="reconciler/apply/trial.py",
        text="    if trial.runs >= MOST_RUNS:",
        instead="    if False:",
        tests=("tests/functional/test_a_failed_generation_is_rolled_back.py",),
    ),
    Safeguard(
        name="the dependencies of a built local project",
        promise="a project is never published if it was built with dependencies that differ from those in its lock",
        file="reconciler/apply/environment.py",
        text="            verify_local_projects(venv, self._target, self._observed)\n",
        instead="",
        tests=("tests/hints/test_apply.py::test_a_project_was_built_with_other_dependencies",),
    ),
    Safeguard(
        name="the copy of a git directory",
        promise="git in the copy of a submodule that is built looks at the copy and not at the original",
        file="reconciler/git/copied_directory.py",
        text="\\tworktree = {top}\n",
        instead="",
        tests=("tests/lock/test_build_copy.py",),
    ),
    Safeguard(
        name="the places of interpreters",
        promise="planning starts no program of the repository, of a root or of an environment, also behind links",
        file="reconciler/interpreters/permitted.py",
        text="        if where := places.around(step):\n",
        instead='        if where := "":\n',
        tests=("tests/interpreters/test_permitted.py",),
    ),
    Safeguard(
        name="the names of interpreters",
        promise="planning starts no program that is not called like an interpreter",
        file="reconciler/interpreters/permitted.py",
        text='        if not is_interpreter_name(name.rpartition("/")[2]):\n',
        instead="        if False:\n",
        tests=("tests/interpreters/test_permitted.py",),
    ),
    Safeguard(
        name="the owners of interpreters",
        promise="planning starts no program that another user could have put there",
        file="reconciler/interpreters/permitted.py",
        text="        if who := other_writer(step, status):\n",
        instead='        if who := "":\n',
        tests=("tests/interpreters/test_permitted.py",),
    ),
    Safeguard(
        name="the search for a recorded interpreter",
        promise="planning starts no program that only a record names",
        file="reconciler/interpreters/choose.py",
        text="        if path != request:\n            self._require_found(path)\n",
        instead="",
        tests=("tests/interpreters/test_choose.py",),
    ),
    Safeguard(
        name="the owners of the directories of PATH",
        promise="no interpreter comes from a directory that other users may write to, such as `/tmp`",
        file="reconciler/interpreters/discover.py",
        text="        if not _others_may_write(entry):\n",
        instead="        if True:\n",
        tests=("tests/interpreters/test_discover.py",),
    ),
    Safeguard(
        name="the options of interpreters that uv starts",
        promise="planning runs no `.pth` file and no `sitecustomize` of a base interpreter",
        file="reconciler/engines/isolated_interpreter.py",
        text="exec %s -I -S -B ",
        instead="exec %s ",
        tests=(
            "tests/functional/test_no_smuggled_program_is_started.py::test_nothing_in_the_site_packages_of_a_base_interpreter_runs_while_planning",
        ),
    ),
    Safeguard(
        name="the options of the interpreter that an environment is created with",
        promise="`apply` runs nothing in the site-packages of a base interpreter, and uv believes no facts about it",
        file="reconciler/engines/uv.py",
        text='*flags, "-p", str(python), str(venv)]',
        instead='*flags, "-p", interpreter.path, str(venv)]',
        tests=("tests/engines/test_uv.py::test_no_facts_about_interpreters_are_believed",),
    ),
    Safeguard(
        name="what uv remembers of interpreters",
        promise="nothing that was written into the package cache of a root names a program to start",
        file="reconciler/engines/uv.py",
        text="                forget_interpreters(self._cache)\n",
        instead="",
        tests=("tests/engines/test_uv.py::test_no_facts_about_interpreters_are_believed",),
    ),
    Safeguard(
        name="the place of the user's package cache",
        promise="with `cache: user`, no package and no fact comes from a cache in the repository",
        file="reconciler/engines/uv.py",
        text="                refuse_unsafe_cache(self._cache_directory(cwd), self._places or ForbiddenPlaces())\n",
        instead="                pass\n",
        tests=("tests/functional/test_a_package_cache_in_the_repository_is_refused.py",),
    ),
    Safeguard(
        name="access control lists",
        promise="no root and no interpreter is used that an access control list lets another user change",
        file="reconciler/fs/writers.py",
        text='            return Writer(by="access list")\n',
        instead="            continue\n",
        tests=("tests/fs/test_writers.py",),
    ),
    Safeguard(
        name="variables of the shell as hashes",
        promise="the value of a variable that a build takes from the shell is never recorded",
        file="reconciler/manifest/desired.py",
        text="        return {**self.variables, **self.hashes}\n",
        instead="        return {**self.variables, **self.from_env}\n",
        tests=(
            "tests/functional/test_a_build_sees_what_pip_would_show_it.py::test_declared_variables_reach_a_build_and_those_of_the_shell_are_recorded_as_hashes",
        ),
    ),
    Safeguard(
        name="the hash of a local archive",
        promise="a lock is out of date if a local archive that it names has other contents",
        file="reconciler/lock/freshness.py",
        text="LockState.STALE if _has_changed_archive(lock) else LockState.FRESH",
        instead="LockState.FRESH",
        tests=(
            "tests/functional/test_a_build_sees_what_pip_would_show_it.py::test_a_local_wheel_that_was_built_again_makes_the_lock_out_of_date",
        ),
    ),
    Safeguard(
        name="the second build of what a build wrote",
        promise="a file that someone changed during the build of an editable project is never taken for its result",
        file="reconciler/apply/generated_files.py",
        text=" if made.get(name) == states[name]}",
        instead="}",
        tests=("tests/apply/test_generated_files.py",),
    ),
    Safeguard(
        name="the contents of what a build wrote",
        promise="a generated file that was changed afterwards counts as a source",
        file="reconciler/lock/source_digests.py",
        text="    return recorded is not None and path.is_file() and recorded == file_state(path)",
        instead="    return recorded is not None",
        tests=("tests/lock/test_build_inputs.py",),
    ),
    Safeguard(
        name="patterns that tools understand differently",
        promise="a file that a backend may package counts as a source, whatever a `.gitignore` says",
        file="reconciler/lock/ignore_patterns.py",
        text="        return any(each.fullmatch(path) for each in self.certain) and not self.possibly_keep(path)",
        instead="        return self.possibly_match(path)",
        tests=("tests/lock/test_ignore_patterns.py",),
    ),
    Safeguard(
        name="the plugins of a build",
        promise="an unlisted module counts as a source if a plugin of the build may package it",
        file="reconciler/lock/listed_modules.py",
        text="    if not requires_only(_WITHOUT_FILES, texts, tables):",
        instead="    if False:",
        tests=("tests/lock/test_build_inputs.py",),
    ),
    Safeguard(
        name="the hint that was made from a secret",
        promise="a hint that shows a value in another form has no credential of a URL either",
        file="reconciler/manifest/source_text.py",
        text='                hint = ""  # it was made from a secret',
        instead="                pass  # it was made from a secret",
        tests=("tests/manifest/test_source_text.py",),
    ),
    Safeguard(
        name="the isolated start in CI",
        promise="a step that reads a pull request imports nothing from it",
        file=".github/action/run.sh",
        text=' -I -m reconciler "$@"',
        instead=' -m reconciler "$@"',
        tests=("tests/surfaces/test_a_hostile_checkout.py::test_the_steps_of_a_pull_request_execute_nothing_of_it",),
    ),
    Safeguard(
        name="the variables of the installation in CI",
        promise="no variable of a job says what is installed, or where",
        file=".github/action/install.sh",
        text='        *) unset "$name" ;;',
        instead="        *) ;;",
        tests=("tests/surfaces/test_a_hostile_checkout.py::test_the_action_is_installed_from_its_own_files_only",),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The results of a safeguard's tests with it and without it: pytest's exit codes, and the failed tests.

    The exit code is None if the tests did not end.
    """

    safeguard: Safeguard
    with_it: int | None
    without_it: int | None
    failures: tuple[str, ...]

    @property
    def needed(self) -> bool:
        """Return whether the tests pass with the safeguard and at least one fails without it."""
        return self.with_it == 0 and self.without_it == 1 and bool(self.failures)


def removed(safeguard: Safeguard, source: str) -> str:
    """Return a file's text without the safeguard; raises ValueError unless the text contains it exactly once."""
    if source.count(safeguard.text) != 1:
        raise ValueError(f"{safeguard.name}: {safeguard.file} must contain once: {safeguard.text.strip()!r}")
    return source.replace(safeguard.text, safeguard.instead)


def show(safeguard: Safeguard) -> Shown:
    """Run a safeguard's tests in a copy of the checkout, first with it and then without it."""
    source = (ROOT / safeguard.file).read_text(encoding="utf-8")
    with copied_checkout() as checkout:
        with_it = checkout.test(safeguard.tests, seconds=_LONGEST_SECONDS)
        with checkout.changed(safeguard.file, removed(safeguard, source)):
            without_it = checkout.test(safeguard.tests, seconds=_LONGEST_SECONDS)
    failures = tuple(without_it.failures)
    return Shown(safeguard=safeguard, with_it=with_it.code, without_it=without_it.code, failures=failures)


def table(found: list[Shown], *, of: int | None = None) -> str:
    """Return the results as a Markdown table; `of` is how many safeguards there are, if only a sample was removed."""
    sample = "" if of in {None, len(found)} else f"An even sample: {len(found)} of {of} safeguards were removed.\n\n"
    return sample + (
        "\n".join(["| removed | promise | the first test that then fails |", "| --- | --- | --- |", *map(_row, found)])
        + "\n"
    )


def _row(shown: Shown) -> str:
    names = [name.rpartition("::")[2] for name in shown.failures]
    result = shorten(", ".join(names), 110) if shown.needed else f"NOT SHOWN ({_why(shown)})"
    return f"| {shown.safeguard.name} | {shown.safeguard.promise} | {result} |"


def _why(shown: Shown) -> str:
    return "its tests also fail with it" if shown.with_it != 0 else "none of its tests fails, or none was run"


def _chosen(only: list[str] | None) -> Iterator[Safeguard]:
    return (each for each in SAFEGUARDS if not only or each.name in only)


def main() -> int:
    """Remove each safeguard in turn; return 1 if no test failed without one of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.safeguards", description=__doc__)
    parser.add_argument("--only", action="append", choices=[each.name for each in SAFEGUARDS])
    parser.add_argument("--minutes", type=float, default=600.0, help="then an even sample (default: %(default)s)")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    chosen = list(_chosen(options.only))
    done: dict[int, Shown] = {}
    for number in halving_order(len(chosen)):
        if time.monotonic() > until:
            break
        print(f"without {chosen[number].name} ...", file=sys.stderr)
        done[number] = show(chosen[number])
    found = [each for _, each in sorted(done.items())]
    print(table(found, of=len(chosen)), end="")
    return int(not all(each.needed for each in found))


if __name__ == "__main__":
    sys.exit(main())
