"""Calls that wait for a file (AIO104), or for what the file system knows of one (AIO105)."""

from __future__ import annotations

from .entry import Blocking, each

_FILE = Blocking("AIO104")
_METADATA = Blocking("AIO105")
_BIT_BY_BIT = Blocking("AIO105", bound="it is read bit by bit as it is iterated over; have a thread make a list of it")
_OPENS = Blocking("AIO104", bound="what is done with the file blocks, too; have a thread do all of it")

# What `open()` gives, whatever its mode. (Most classes of `io` may as well be wrapped around memory; this one is always
# a file.)
FILE = "io.FileIO"
_PATH = "pathlib.Path"
_ARCHIVES = ("zipfile.ZipFile", "tarfile.TarFile")

# They open what they are given, which may be something in memory instead of a path: its position, and its name.
OPENS_EITHER = {
    "zipfile.ZipFile": (0, "file"),
    "zipfile.PyZipFile": (0, "file"),
    "tarfile.open": (2, "fileobj"),
    "tarfile.TarFile": (2, "fileobj"),
    "gzip.open": (0, "filename"),
    "gzip.GzipFile": (3, "fileobj"),
    "bz2.open": (0, "filename"),
    "bz2.BZ2File": (0, "filename"),
    "lzma.open": (0, "filename"),
    "lzma.LZMAFile": (0, "filename"),
}
# Methods that read the next piece of a file.
READS_ON = frozenset({"read", "readinto", "readline", "readlines"})
# Types that are files in memory.
MEMORY = frozenset({"io.BytesIO", "io.StringIO", "tempfile.SpooledTemporaryFile"})
# Types of which nobody can tell whether they are files in memory or on a disk.
STREAMS = frozenset({
    "io.IOBase", "io.RawIOBase", "io.BufferedIOBase", "io.TextIOBase", "typing.IO", "typing.BinaryIO", "typing.TextIO",
})  # fmt: skip
# What begins so is made up by the kernel, and read without waiting for a disk.
NO_DISK = ("/dev/", "/proc/", "/sys/")
# What opens a file that a `with` block, or a variable, then stands for: its methods are a part of the same work.
OPENS = frozenset({
    "builtins.open", "io.open", "codecs.open", f"{_PATH}.open", "tempfile.NamedTemporaryFile",
    "tempfile.TemporaryFile", *OPENS_EITHER,
})  # fmt: skip

# Sources: "Built-in Functions", "io", "os", "os.path", "pathlib", "shutil", "tempfile", "glob", "zipfile", "tarfile",
# "gzip", "bz2", "lzma", "filecmp" and "linecache" in the library reference, CPython 3.11-3.14.
CALLS: dict[str, Blocking] = {
    **dict.fromkeys(OPENS, _OPENS),
    **each(_PATH, "read_text read_bytes write_text write_bytes", _FILE),
    **each(_PATH, "copy copy_into move move_into", Blocking("AIO104", only=">=3.14")),
    **each("shutil", "copy copy2 copyfile copyfileobj copytree move rmtree make_archive unpack_archive", _FILE),
    **each("tempfile", "mkstemp", _FILE),
    **each("tempfile", "TemporaryDirectory", _FILE._replace(bound="leaving it removes all that is in it")),
    **each("os", "fsync", _FILE),
    **each("os", "fdatasync sync", Blocking("AIO104", only="unix")),
    **each("filecmp", "cmp cmpfiles", _FILE),
    **each("linecache", "getline getlines", _FILE),
    **each("zipfile", "is_zipfile", _FILE),
    **each("tarfile", "is_tarfile", _FILE),
    **each("configparser.ConfigParser", "read", _FILE),
    **each(FILE, "read readall readinto readline readlines write writelines flush truncate", _FILE),
    **each("zipfile.ZipFile", "extract extractall testzip", _FILE),
    **each("tarfile.TarFile", "add extract extractall", _FILE),
    **each("os.path", "exists lexists isfile isdir islink ismount getsize getmtime getatime getctime", _METADATA),
    **each("os.path", "realpath samefile", _METADATA),
    **each("os", "access chmod link listdir lstat makedirs mkdir readlink remove removedirs rename renames", _METADATA),
    **each("os", "replace rmdir stat symlink truncate unlink utime", _METADATA),
    **each("os", "chown lchown statvfs", Blocking("AIO105", only="unix")),
    **each("shutil", "copymode copystat disk_usage which", _METADATA),
    **each("tempfile", "mkdtemp", _METADATA),
    **each("os", "scandir walk", _BIT_BY_BIT),
    **each("os", "fwalk", _BIT_BY_BIT._replace(only="unix")),
    **each("glob", "glob", _METADATA),
    **each("glob", "iglob", _BIT_BY_BIT),
    **each(_PATH, "exists is_file is_dir is_symlink is_mount is_socket is_fifo is_block_device", _METADATA),
    **each(_PATH, "is_char_device stat lstat mkdir rmdir unlink rename replace touch chmod lchmod", _METADATA),
    **each(_PATH, "resolve readlink samefile symlink_to hardlink_to", _METADATA),
    **each(_PATH, "owner group", Blocking("AIO105", only="unix")),
    **each(_PATH, "glob rglob iterdir", _BIT_BY_BIT),
    **each(_PATH, "walk", _BIT_BY_BIT._replace(only=">=3.12")),
    **each(_PATH, "is_junction", Blocking("AIO105", only=">=3.12")),
}
NEVER: frozenset[str] = frozenset()
RETURNS: dict[str, str] = {
    **dict.fromkeys(OPENS, FILE),
    **dict.fromkeys(("zipfile.ZipFile", "zipfile.PyZipFile"), "zipfile.ZipFile"),
    **dict.fromkeys(("tarfile.open", "tarfile.TarFile"), "tarfile.TarFile"),
    **{f"{_PATH}.{name}": f"list[{_PATH}]" for name in ("glob", "iterdir", "rglob")},
    **{
        f"{_PATH}.{name}": _PATH
        for name in (
            "absolute", "cwd", "expanduser", "home", "joinpath", "readlink", "relative_to", "rename", "replace",
            "resolve", "with_name",  "with_stem", "with_suffix",
        )
    },
}  # fmt: skip
SAME: dict[str, str] = {
    "pathlib.PosixPath": _PATH,
    "pathlib.WindowsPath": _PATH,
    "configparser.RawConfigParser": "configparser.ConfigParser",
}
ATTRIBUTES: dict[str, str] = {
    f"{_PATH}.parent": _PATH,
    f"{_PATH}.parents": f"{_PATH}.parents",
    f"{_PATH}.parents[]": _PATH,
}
