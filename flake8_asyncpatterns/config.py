"""`[tool.asyncfix]` in pyproject.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .misuse import Misuse
from .selection import Layer, codes, near
from .settings import Settings
from .source import reason
from .tuples import NamedTuple

KEYS = ("select", "extend-select", "ignore", "exclude", "per-file-ignores", "blocking", "not-blocking",
        "entry-points", "runners", "src", "runtime")  # fmt: skip
PATTERN = re.compile(r"[*?\[]")


class Config(NamedTuple):
    """What a project's configuration says. `root` is what its paths start from."""

    layer: Layer = Layer()
    exclude: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    root: Path = Path()
    settings: Settings = Settings()


def nearest(start: Path) -> Config:
    """The configuration of the nearest pyproject.toml, from `start` upward, that has a table for us.

    The scripts of the nearest project are entry points, whether its file has that table or not.
    """
    scripts: frozenset[str] | None = None
    for folder in (start, *start.parents):
        # What cannot even be looked for is not there: somebody else's directory above ours must not stop us.
        if not os.path.isfile(folder / "pyproject.toml"):  # noqa: PTH113  # Path.is_file() raises PermissionError
            continue
        tables = _tables(folder / "pyproject.toml")
        if scripts is None and "project" in tables:
            scripts = _scripts(tables)
        table = _ours(tables)
        if table is not None:
            return _entered(_config(table, folder / "pyproject.toml"), scripts)
    return _entered(Config(root=start), scripts)


def load(path: Path) -> Config:
    """The configuration in this file. Raises Misuse when it has none."""
    tables = _tables(path)
    table = _ours(tables)
    if table is None:
        raise Misuse(f"{path}: has no table [tool.asyncfix]")
    return _entered(_config(table, path), _scripts(tables))


def loads(text: str) -> Config:
    """The configuration in the text of such a file; all defaults when it has none."""
    path = Path("pyproject.toml")
    tables = _parsed(text, path)
    table = _ours(tables)
    return _entered(Config() if table is None else _config(table, path), _scripts(tables))


def _tables(path: Path) -> dict[str, Any]:
    """What stands in a file."""
    try:
        return _parsed(path.read_text("utf-8"), path)
    except UnicodeDecodeError:
        raise Misuse(f"{path}: is no TOML: it is not utf-8") from None
    except OSError as error:
        raise Misuse(f"{path}: {reason(error)}") from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    import tomllib  # late: not every project has such a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misuse(f"{path}: is no TOML: {error}") from None
    except RecursionError:
        raise Misuse(f"{path}: is nested too deeply") from None


def _ours(tables: dict[str, Any]) -> Any:
    """The table for us; None: there is none."""
    tool = tables.get("tool", {})
    return tool.get("asyncfix") if isinstance(tool, dict) else None


def _scripts(tables: dict[str, Any]) -> frozenset[str]:
    """The functions that a project's commands start with; what is none is not ours to complain about."""
    project = tables.get("project", {})
    commands = project.get("scripts", {}) if isinstance(project, dict) else {}
    values = commands.values() if isinstance(commands, dict) else ()
    names = (value.partition("[")[0].strip().replace(":", ".") for value in values if isinstance(value, str))
    return frozenset(name for name in names if all(part.isidentifier() for part in name.split(".")))


def _entered(config: Config, scripts: frozenset[str] | None) -> Config:
    entry_points = config.settings.entry_points | (scripts or frozenset())
    return config._replace(settings=config.settings._replace(entry_points=entry_points))


def _config(table: Any, path: Path) -> Config:
    """The table, checked. Raises Misuse, which names the key and the file."""
    where = f"{path}: [tool.asyncfix]"
    if not isinstance(table, dict):
        raise Misuse(f"{where} must be a table")
    for key in table:
        if key not in KEYS:
            nearby = near(key, KEYS)
            hint = f"; did you mean {nearby!r}?" if nearby else f"; known are {', '.join(KEYS)}"
            raise Misuse(f"{where} unknown key {key!r}{hint}")
    per_file = table.get("per-file-ignores", {})
    if not isinstance(per_file, dict):
        raise Misuse(f"{where} 'per-file-ignores' must be a table of globs and lists of codes")
    return Config(
        Layer(
            _codes(table, "select", where) if "select" in table else None,
            _codes(table, "extend-select", where),
            _codes(table, "ignore", where),
        ),
        _strings(table, "exclude", where),
        tuple((glob, _codes(per_file, glob, f"{where} 'per-file-ignores'")) for glob in per_file),
        path.absolute().parent,
        Settings(
            _qualified(table, "blocking", where),
            _qualified(table, "not-blocking", where),
            _qualified(table, "entry-points", where),
            _qualified(table, "runners", where),
            _folders(table, "src", path, where),
            _switch(table, "runtime", where),
        ),
    )


def _codes(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    return codes(_strings(table, key, where), f"{where} {key!r}")


def _strings(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Misuse(f"{where} {key!r} must be a list of strings")
    return tuple(value)


def _switch(table: Mapping[str, Any], key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise Misuse(f"{where} {key!r} must be true or false")
    return value


def _folders(table: Mapping[str, Any], key: str, path: Path, where: str) -> tuple[str, ...]:
    """The directories that globs mean, seen from that of the file. A plain name must be one; a pattern may fit none."""
    found: dict[str, None] = {}
    for glob in _strings(table, key, where):
        try:
            folders = [str(folder) for folder in sorted(path.absolute().parent.glob(glob)) if folder.is_dir()]
        except (ValueError, NotImplementedError):
            raise Misuse(f"{where} {key!r}: {glob!r} must be a directory or a pattern, seen from here") from None
        if not folders and not PATTERN.search(glob):
            raise Misuse(f"{where} {key!r}: {glob!r} is no directory here")
        found.update(dict.fromkeys(folders))
    return tuple(found)


def _qualified(table: Mapping[str, Any], key: str, where: str) -> frozenset[str]:
    """Qualified names; `module:function`, as packaging has it, is read as `module.function`."""
    names = [name.replace(":", ".") for name in _strings(table, key, where)]
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise Misuse(f"{where} {key!r}: {name!r} is no qualified name such as 'mylib.Client.get'")
    return frozenset(names)
