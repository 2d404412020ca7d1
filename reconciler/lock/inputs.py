"""The digest of what a lock was resolved from: equal on every machine that has the same manifest and sources."""

from reconciler.canonical_json import digest
from reconciler.lock.sources import metadata_digest
from reconciler.manifest.desired import DesiredEnvironment, Index


def inputs_digest(environment: DesiredEnvironment, indexes: tuple[Index, ...]) -> str:
    """Return the digest of everything that may move a resolution; no path, interpreter or tool version is in it.

    Of the directories that requirements files name, the metadata files are read; raises LockError where that fails.
    """
    project = environment.project
    return digest(
        {
            "requirements": sorted(
                {
                    (
                        line.text,
                        tuple(sorted(line.hashes)),
                        line.editable,
                        metadata_digest(line.path) if line.path else "",
                    )
                    for line in environment.requirements
                }
            ),
            "constraints": sorted(set(environment.constraints)),
            "overrides": sorted(set(environment.overrides)),
            "project": project
            and {
                "name": project.name,
                "path": project.relative,
                "editable": project.editable,
                "extras": sorted(project.extras),
                "groups": sorted(project.groups),
                "requirements": sorted(set(project.requirements)),
                # Where only a build tells the dependencies, any change of the metadata files may have moved them.
                "metadata": None if project.static else project.metadata_digest,
            },
            "indexes": [{"url": index.url, "packages": sorted(index.packages)} for index in indexes],
            "exclude-newer": environment.exclude_newer,
            "prerelease": environment.prerelease,
            "python": environment.python,
        }
    )
