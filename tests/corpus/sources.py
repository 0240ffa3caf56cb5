"""Released packages' sources by name and version, unpacked and never built.

    python tests/corpus/sources.py DEST NAME==VERSION ...

`pip download` would run an old release's setup.py to learn its name. So this asks pip's own finder, which knows the
index that is configured here, for the archive, and takes the files out of it. A source distribution is preferred.
pip's internals may change; nothing but the slow tests depends on them.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory


def source(requirement: str, dest: Path) -> Path:
    """The folder with the sources of `NAME==VERSION`, fetched when it is not there yet. Raises OSError."""
    place = dest / requirement
    if not place.exists():
        dest.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=dest) as scratch:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # pip's own, of what it brings along
                archive = _download(requirement, Path(scratch))
            files = Path(scratch, "files")
            _unpack(archive, files)
            # A source distribution has everything in one folder of its own; a wheel has not.
            inner = list(files.iterdir())
            (inner[0] if len(inner) == 1 and archive.suffix != ".whl" else files).rename(place)
    return place


def _download(requirement: str, to: Path) -> Path:
    from pip._internal.commands import create_command
    from pip._vendor.packaging.requirements import Requirement

    wanted = Requirement(requirement)
    command = create_command("download")
    with command.main_context():
        for formats in (["--no-binary", ":all:"], ["--only-binary", ":all:"]):
            options, _ = command.parse_args([*formats, "--no-deps", "--quiet", requirement])
            session = command.get_default_session(options)  # type: ignore[attr-defined]  # not in the base class
            finder = command._build_package_finder(  # type: ignore[attr-defined]  # not in the base class
                options, session, target_python=None, ignore_requires_python=True
            )
            best = finder.find_best_candidate(wanted.name, wanted.specifier).best_candidate
            if best is None:
                continue
            target = to / best.link.filename
            with session.get(best.link.url_without_fragment, stream=True) as response, target.open("wb") as file:
                response.raise_for_status()
                shutil.copyfileobj(response.raw, file)
            if best.link.hash_name and _digest(best.link.hash_name, target) != best.link.hash:
                raise OSError(f"{target.name}: the checksum is not the one of the index")
            return target
    raise OSError(f"{requirement}: no such release")


def _digest(name: str, file: Path) -> str:
    return hashlib.new(name, file.read_bytes()).hexdigest()


def _unpack(archive: Path, to: Path) -> None:
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(to)
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(to, filter="data")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        print(source(name, Path(sys.argv[1])))
