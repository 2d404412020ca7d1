"""Options about indexes in requirements files: the lines that an error says to write make the manifest valid."""

import re
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifest.desired import Index
from reconciler.manifest.expand import expand
from reconciler.manifest.index_option import check_index_option
from reconciler.manifest.index_rules import DEFAULT_INDEX, used_indexes
from reconciler.manifest.invalid_text import InvalidTextError
from reconciler.manifest.load import load_manifest
from reconciler.manifest.requirements_line import IndexOption
from reconciler.manifest.urls import directory_of_url

LINE = re.compile(r"add a line below `indexes:` in the manifest: (`+) ?(- .+?) ?\1")
OPTIONS = (
    ["--extra-index-url https://pytorch.example/whl/cpu"],
    ["--index-url https://index.example/simple", "--extra-index-url https://ONE.example:8443/`a`"],
    ["-i https://one.example/simple", "--extra-index-url https://one.example/other", "-f ./Räder und mehr"],
    ["--find-links {here}/wheels", "--find-links file://{here}/wheels/", "--extra-index-url http://[::1]:8080/simple"],
    ["-f wheels", "--index-url ../simple"],
)


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_a_manifest_is_valid_after_the_lines_of_its_errors_were_added(options: list[str], tmp_path: Path) -> None:
    directory = tmp_path / "work"
    for name in ("wheels", "Räder und mehr", "../simple"):
        (directory / name).mkdir(parents=True)
    text = "\n".join([*options, "django"]).replace("{here}", str(directory))
    (directory / "requirements.txt").write_text(text, encoding="utf-8")
    lines: list[str] = []
    head, web = (
        "version: 1\nproject: acme\n",
        'environments: {web: {python: "3.12", requirements: [requirements.txt]}}\n',
    )
    for _ in range(len(options) + 1):
        indexes = "".join(f"  {line}\n" for line in lines)
        (directory / "envs.yaml").write_text(head + (f"indexes:\n{indexes}" if lines else "") + web, encoding="utf-8")
        try:
            desired = expand(load_manifest(directory / "envs.yaml"))
        except ManifestError as error:
            found = [match[2] for each in error.problems if (match := LINE.fullmatch(each.hint or ""))]
            lines += found[:1] or [f"no line in {error.problems}"]
        else:
            break
    else:
        pytest.fail(f"still not valid with {lines}")
    used = used_indexes(desired.indexes, names=())
    primary = any(each.startswith(("-i", "--index-url")) for each in options)
    if not primary:
        assert used == () or used[-1] is DEFAULT_INDEX, "without `--index-url` pip asks PyPI as well"
    assert all(path.is_dir() for each in used if (path := directory_of_url(each.url)) is not None)


@pytest.mark.parametrize(
    ("declared", "url", "name"),
    [
        ("", "https://Index.Example:8443/simple", "index-example"),
        ("", "https://[::1]/simple", "1"),
        ("", f"https://{'long.' * 12}example/simple", "long-long-long-long-long-long-long-long-"[:40]),
        ("", "https://--/simple", "index"),
        ("index-example", "https://index.example/simple", "index-example-2"),
        ("index-example index-example-2", "https://index.example/simple", "index-example-3"),
    ],
)
def test_a_new_index_is_named_after_its_host(declared: str, url: str, name: str) -> None:
    indexes = tuple(Index(name=each, url=f"https://{each}.example/other") for each in declared.split())
    line = IndexOption(option="--index-url", value=url)
    with pytest.raises(InvalidTextError) as caught:
        check_index_option(line, None, indexes, (), Path("/srv"))
    assert f'`- {{name: "{name}", url: "{url}"}}`' in caught.value.hint
