"""Bytes to text and back, `# noqa`, and writing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_asyncpatterns import source
from flake8_asyncpatterns.check import check
from flake8_asyncpatterns.rules import RULES
from flake8_asyncpatterns.source import Unreadable, characters, decode, encode, lines, noqa, read, write

BOM = b"\xef\xbb\xbf"
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x = 1",
        b"x = 1\n",
        b"x = 1\r\ny = 2\r\n",
        b"x = 1\ry = 2\r",
        b"x = 1\r\ny = 2\nz = 3\r",
        b"\x0cx = 1\n\x0c\n",
        BOM + b"x = 1\n",
        BOM + b"# coding: utf-8\nx = 1\n",
        "s = 'äöü → 漢'\n".encode(),
        "# coding: latin-1\ns = 'äöü'\n".encode("latin-1"),
        "# -*- coding: koi8-r -*-\ns = 'привет'\n".encode("koi8-r"),
        "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ns = '€'\n".encode("cp1252"),
    ],
)
def test_text_goes_back_into_the_same_bytes(data: bytes) -> None:
    read_in = decode(data)
    assert encode(read_in, read_in.text) == data
    assert not read_in.text.startswith("\ufeff")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x = 1\ns = '\xe4'\n", "not utf-8: byte 0xe4 in line 2"),
        (BOM + b"x = 1\n\n'\xe4'\n", "not utf-8: byte 0xe4 in line 3"),
        (b"'\xe4'\n", "not utf-8, and no coding cookie says what else"),
        (b"# coding: ascii\n\n'\xe4'\n", "not ascii: byte 0xe4 in line 3"),
        (b"# coding: klingon\n", "unknown encoding: klingon"),
        (BOM + b"# coding: latin-1\n", "its byte order mark says utf-8, and its coding cookie something else"),
        (b"# coding: rot13\n", "rot13 is no encoding for source code"),
        (b"# coding: hex\n", "hex is no encoding for source code"),
    ],
)
def test_what_python_cannot_decode_is_refused_in_a_line(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as error:
        decode(data)
    assert str(error.value) == why


def test_an_encoding_without_room_for_a_character_refuses_it() -> None:
    with pytest.raises(Unreadable, match="iso-8859-1 cannot encode '→'"):
        encode(decode(b"# coding: latin-1\n"), "'→'")


def test_an_encoding_that_would_change_other_bytes_is_refused() -> None:
    data = b"# coding: utf-7\ns = '+AOQ-+AOQ-'\n"
    with pytest.raises(Unreadable, match="utf-7 does not write back"):
        encode(decode(data), decode(data).text)
    data = b"# coding: idna\n" + b"x = 1\n" * 20
    with pytest.raises(Unreadable, match="idna does not write back"):
        encode(decode(data), decode(data).text)


def test_lines_are_those_of_python() -> None:
    assert lines("a\r\nb\rc\nd\x0ce\x0bf\u2028g\x85h") == ["a", "b", "c", "d\x0ce\x0bf\u2028g\x85h"]


@pytest.mark.parametrize(("line", "offset", "column"), [("abc", 2, 2), ("äb", 2, 1), ("漢字", 6, 2), ("", 0, 0)])
def test_columns_in_characters(line: str, offset: int, column: int) -> None:
    assert characters(line, offset) == column


def test_read_tells_why_not(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    for name, why in {"folder.py": "is a directory", "none.py": "no such file or directory"}.items():
        with pytest.raises(Unreadable) as error:
            read(tmp_path / name)
        assert str(error.value) == why


@not_on_windows
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(Unreadable, match="not a regular file"):
        read(tmp_path / "pipe.py")


@not_on_windows
def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    with pytest.raises(Unreadable, match="too many levels of symbolic links"):
        read(tmp_path / "loop.py")


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")  # to root, who may run this, no mode bit is an obstacle

    (tmp_path / "a.py").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(Unreadable, match=r"^permission denied$"):
        read(tmp_path / "a.py")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(b"old\n")
    return path


def alone(file: Path) -> bool:
    """Is nothing left beside the file?"""
    return [path.name for path in file.parent.iterdir()] == [file.name]


def test_write_replaces_the_content(file: Path) -> None:
    write(file, b"new\r\n", was=b"old\n")
    assert file.read_bytes() == b"new\r\n"
    assert alone(file)


@not_on_windows
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o4755, 0o664])
def test_write_keeps_the_mode(file: Path, mode: int) -> None:
    file.chmod(mode)
    write(file, b"new\n", was=b"old\n")
    assert stat.S_IMODE(file.stat().st_mode) == mode


@not_on_windows
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_write_keeps_the_owner(file: Path) -> None:
    os.chown(file, 65534, 65533)
    file.chmod(0o4750)
    write(file, b"new\n", was=b"old\n")
    after = file.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (65534, 65533, 0o4750)


@not_on_windows
def test_write_keeps_the_group_where_the_owner_cannot_be_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def chown(path: Path, owner: int, group: int) -> None:
        asked.append((owner, group))
        if owner != -1:
            raise PermissionError(1, "Operation not permitted")

    before = file.stat()
    monkeypatch.setattr(os, "chown", chown)
    write(file, b"new\n", was=b"old\n")
    assert asked == [(before.st_uid, before.st_gid), (-1, before.st_gid)]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="needs a system with extended attributes")
def test_write_keeps_extended_attributes(file: Path) -> None:
    try:
        os.setxattr(file, "user.origin", b"elsewhere")
    except OSError as error:
        pytest.skip(f"the file system has no extended attributes: {error}")
    write(file, b"new\n", was=b"old\n")
    assert os.getxattr(file, "user.origin") == b"elsewhere"


@not_on_windows
def test_write_follows_a_link(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "link.py").symlink_to(file)
    write(folder / "link.py", b"new\n", was=b"old\n")
    assert (folder / "link.py").is_symlink()
    assert file.read_bytes() == b"new\n"
    assert [path.name for path in folder.iterdir()] == ["link.py"]


def test_what_nobody_may_write_is_left_alone_even_by_root(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(Unreadable, match=r"^read-only$"):
        write(file, b"new\n", was=b"old\n")
    assert file.read_bytes() == b"old\n"
    assert alone(file)


def test_what_has_changed_meanwhile_is_left_alone(file: Path) -> None:
    file.write_bytes(b"someone else's\n")
    with pytest.raises(Unreadable, match="changed on disk since it was read"):
        write(file, b"new\n", was=b"old\n")
    assert file.read_bytes() == b"someone else's\n"
    assert alone(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a POSIX system")
def test_a_file_that_became_a_pipe_is_not_waited_for(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(Unreadable, match="changed on disk"):
        write(file, b"new\n", was=b"old\n")
    assert alone(file)


def test_a_file_that_went_away(file: Path) -> None:
    file.unlink()
    with pytest.raises(Unreadable, match="no such file"):
        write(file, b"new\n", was=b"old\n")


@pytest.mark.parametrize("broken", ["fsync", "open"])
def test_a_full_disk_leaves_the_file_and_no_rubbish(file: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def full(handle: int, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(source.os, broken, full)
    with pytest.raises(Unreadable, match=r"^no space left on device$"):
        write(file, b"new\n", was=b"old\n")
    assert file.read_bytes() == b"old\n"
    assert alone(file)


def test_an_interrupted_write_leaves_the_file_and_no_rubbish(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(source.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(file, b"new\n", was=b"old\n")
    assert file.read_bytes() == b"old\n"
    assert alone(file)


# Each line that sleeps is found by the rule; what silences it is to be the same for both fronts.
COMMENTS = r"""
import time
async def f(x):
    time.sleep(1)
    time.sleep(1)  # noqa
    time.sleep(1)  # NOQA
    time.sleep(1)  #noqa
    time.sleep(1)  #  noqa
    time.sleep(1)  # noqa: AIO101
    time.sleep(1)  # noqa:AIO101
    time.sleep(1)  # noqa:  AIO101
    time.sleep(1)  # noqa : AIO101
    time.sleep(1)  # noqa: AIO101,E501
    time.sleep(1)  # noqa: E501,AIO101
    time.sleep(1)  # noqa: E501 AIO101
    time.sleep(1)  # noqa: E501 , AIO101
    time.sleep(1)  # noqa: E501; AIO101
    time.sleep(1)  # noqa: E501
    time.sleep(1)  # noqa: aio101
    time.sleep(1)  # NoQA: AIO101
    time.sleep(1)  # noqa: AIO1
    time.sleep(1)  # noqa: AIO
    time.sleep(1)  # noqa:AIO
    time.sleep(1)  # noqa: AIO102
    time.sleep(1)  # noqa: AIO1011
    time.sleep(1)  # noqa: AIO101 because it is a test
    time.sleep(1)  # noqa because it is a test
    time.sleep(1)  # noqa: because it is a test
    time.sleep(1)  # a reason  # noqa: AIO101
    time.sleep(1)  # noqa: E501  # noqa: AIO101
    time.sleep(1); "# noqa"
    time.sleep(1); '''
    # noqa: AIO101
    '''
    time.sleep(1); x = '''
    ''', 1  # noqa: AIO101
    '''
    # noqa
    '''; time.sleep(1)
    time.sleep(
        1)  # noqa: AIO101
    time.sleep(  # noqa: AIO101
        1)
    time. \
        sleep(1)  # noqa: AIO101
    x = 1, \
        time.sleep(1), '''

        '''  # noqa: E501
    if time.sleep(1):  # noqa: AIO101
        pass
    if (
        time.sleep(1)  # noqa: AIO101
    ):
        pass
    x = (  # noqa: AIO101
        time.sleep(1),
        time.sleep(1),  # noqa: AIO101
        f'''
        {time.sleep(1)}
        ''',  # noqa: AIO101
    )
    # noqa: AIO101
    time.sleep(1)
""".lstrip()


def flake8_lines(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "flake8", "--isolated", "--select", "AIO101", "--format", "%(path)s %(row)d"]
    ran = subprocess.run(
        [*command, *(path.name for path in folder.iterdir())], cwd=folder, capture_output=True, text=True, check=False
    )
    assert not ran.stderr
    return sorted(ran.stdout.splitlines())


def asyncfix_lines(folder: Path) -> list[str]:
    return sorted(
        f"{path.name} {problem.place.line}"
        for path in folder.iterdir()
        for problem in check(read(path), path.name, [RULES["AIO101"]])
    )


WHOLE_FILE = [
    "# flake8: noqa", "# flake8:noqa", "# FLAKE8=NOQA", "    # flake8: noqa", "x = 1  # flake8: noqa",
    "# flake8: noqa: E501", "# flake8", "'''\n# flake8: noqa\n'''",
]  # fmt: skip


def test_noqa_means_what_it_means_to_flake8(tmp_path: Path) -> None:
    for name, newline in {"lf.py": "\n", "crlf.py": "\r\n", "cr.py": "\r"}.items():
        (tmp_path / name).write_bytes(COMMENTS.replace("\n", newline).encode())
    for number, comment in enumerate(WHOLE_FILE):
        text = f"import time\nasync def f():\n    time.sleep(1)\n{comment}\n"
        (tmp_path / f"file{number}.py").write_text(text)
    seen = flake8_lines(tmp_path)
    assert asyncfix_lines(tmp_path) == seen
    assert 0 < sum(line.startswith("lf.py") for line in seen) < COMMENTS.count("sleep(")


def test_no_comment_costs_nothing() -> None:
    assert noqa("x = 1\n") == {}
