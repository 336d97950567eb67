"""What is installed, imported and committed: the promises of the packaging."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+]+)")

#: Of a machine or a registry, which no committed file may name; written so that this file does not.
PRIVATE = re.compile(
    r"py[p]i\.org|pythonhoste[d]\.|npmj[s]\.|index-ur[l]|find-link[s]|(?<![\w.])/(?:wor[k]|roo[t])/"
)

IMPORTS = """
import importlib, pkgutil, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", ()), name + ".") if name != "mapae" else ():
        importlib.import_module(module.name)
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(loaded - sys.stdlib_module_names))
"""


def imported_by(*packages: str) -> set[str]:
    """Top-level names outside the standard library that importing these packages, submodules too, loads."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *packages], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def committed() -> list[Path]:
    """Every file under version control that is text."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize(
    ("packages", "allowed"),
    [
        (["mapae"], {"mapae"}),
        (
            ["mapae", "mapae.jose", "mapae.oauth", "mapae.verifier"],
            {"mapae", "cryptography", "_cffi_backend", "_openssl"},
        ),
        (["mapae.client", "mapae.cli.main"], {"mapae", "filelock", "platformdirs", "click"}),
    ],
)
def test_a_part_loads_only_the_libraries_it_promises(packages: list[str], allowed: set[str]) -> None:
    assert imported_by(*packages) <= allowed


def test_the_verifier_depends_on_one_library() -> None:
    assert [Requirement(text).name for text in PYPROJECT["project"]["dependencies"]] == ["cryptography"]


def test_every_file_of_the_package_is_in_the_distribution() -> None:
    source = ROOT / "src" / "mapae"
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["mapae"]
    left_out = [
        path
        for path in committed()
        if path.is_relative_to(source)
        and not (path.suffix == ".py" and (path.parent / "__init__.py").exists())
        and not any(PurePosixPath(path.relative_to(source)).match(pattern) for pattern in patterns)
    ]
    assert left_out == []


def test_every_dependency_of_every_extra_is_pinned() -> None:
    pins = [PINNED.fullmatch(line) for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()]
    assert all(pins), "a line of constraints.txt is not name==version"
    pinned = {canonicalize_name(pin["name"]) for pin in pins if pin}
    assert len(pinned) == len(pins)
    assert set(_closure("mapae", frozenset({"dev"}))) - {"mapae"} <= pinned


def _closure(name: str, extras: frozenset[str], seen: set[tuple[str, str]] | None = None) -> Iterator[str]:
    """The distribution, and everything that it needs with these extras on this Python."""
    seen = set() if seen is None else seen
    yield canonicalize_name(name)
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        key = (canonicalize_name(requirement.name), ",".join(sorted(requirement.extras)))
        wanted = not requirement.marker or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}
        )
        if wanted and key not in seen:
            seen.add(key)
            yield from _closure(requirement.name, frozenset(requirement.extras), seen)


def test_no_committed_file_names_a_registry_or_a_private_path() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in committed()
        for match in PRIVATE.finditer(path.read_bytes().decode("utf-8", "replace"))
    ]
    assert found == []


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="README.md is not written yet")
def test_both_readmes_have_the_same_headings_and_the_same_code() -> None:
    english, korean = (_outline((ROOT / name).read_text("utf-8")) for name in ("README.md", "README.ko.md"))
    assert english == korean


def _outline(text: str) -> tuple[list[str], list[str]]:
    """The levels of the headings, and the code blocks."""
    prose, *fenced = re.split(r"^```", text, flags=re.MULTILINE)
    code, between = fenced[::2], fenced[1::2]
    levels = re.findall(r"^#+(?= )", "\n".join([prose, *between]), flags=re.MULTILINE)
    return levels, code
