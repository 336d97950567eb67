"""Writes the pages of docs/reference that follow from the code. `--check` only says which are stale."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mapae.server.settings import describe

REFERENCE = Path(__file__).parent / "reference"


def settings_page() -> str:
    """docs/reference/settings.md."""
    rows = [(f"`{row.variable}`", row.text, row.expects, row.default, row.unit) for row in describe()]
    return f"""# Settings

A setting is read from the first of these that has it:

1. the variable `MAPAE_NAME`,
2. the file that `MAPAE_NAME_FILE` names, without one newline at its end,
3. the key `name` in `mapae.toml` in the working directory, or in the file that `MAPAE_CONFIG` names,
4. the default.

A value and its file at once, an unknown name and an unknown key are errors at start.
`mapae config check` shows what is in force and where it comes from.

{_table(("variable", "meaning", "value", "default", "unit"), rows)}
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


#: File name of each generated page, and what it should hold.
PAGES: Mapping[str, Callable[[], str]] = {"settings.md": settings_page}


def stale() -> list[Path]:
    """The pages that do not hold what they should."""
    return [
        REFERENCE / name
        for name, page in PAGES.items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text("utf-8") != page()
    ]


def main() -> int:
    """Write the stale pages, or with `--check` list them and answer 1 when there are any."""
    found = stale()
    for path in found:
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"{path} is stale: run python -m docs.generate\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(PAGES[path.name](), "utf-8")
    return 1 if found and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    raise SystemExit(main())
