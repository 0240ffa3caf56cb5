"""How files, and other threads and processes, are made to keep a coroutine waiting."""

from __future__ import annotations

import concurrent.futures
import configparser
import fcntl
import filecmp
import io
import linecache
import multiprocessing
import multiprocessing.connection
import multiprocessing.pool
import os
import queue
import select
import selectors
import shutil
import socket
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from reality import resolve

from flake8_asyncpatterns.knowledge.blocking import CALLS

Waits: TypeAlias = tuple[Callable[[], object], Callable[[], object]]
Takes: TypeAlias = tuple[Callable[[], object], float]
A_WHILE = 0.05


class Room(Protocol):
    """Where a scene is set, and what is cleared away after it."""

    folder: Path
    stack: ExitStack


def locks(name: str, room: Room) -> Waits | None:
    """What another thread holds, or has not done yet."""
    owner, _, method = name.rpartition(".")
    module, _, kind = owner.rpartition(".")
    if module not in ("threading", "multiprocessing.synchronize"):
        return None
    package = threading if module == "threading" else multiprocessing
    if kind in ("Thread", "Timer"):
        stop = threading.Event()
        thread: Any = threading.Thread(target=stop.wait) if kind == "Thread" else threading.Timer(0, stop.wait)
        thread.start()
        return thread.join, stop.set
    if kind == "Barrier":
        barrier = package.Barrier(2)
        return barrier.wait, barrier.abort
    if kind == "Event":
        event = package.Event()
        return event.wait, event.set
    made = getattr(package, kind)()
    if method.startswith("wait"):

        def wait() -> None:
            with made:
                made.wait() if method == "wait" else made.wait_for(lambda: done)

        done: list[int] = []

        def notify() -> None:
            done.append(1)
            with made:
                made.notify_all()

        return wait, notify
    made.acquire()
    return made.acquire, made.release


def queues(name: str, room: Room) -> Waits | None:
    owner, _, method = name.rpartition(".")
    if owner.rpartition(".")[0] not in ("queue", "multiprocessing.queues"):
        return None
    kind = owner.rpartition(".")[2]
    made = getattr(queue if owner.startswith("queue.") else multiprocessing, kind)()
    if method == "put":
        made = type(made)(1) if owner.startswith("queue.") else getattr(multiprocessing, kind)(1)
        made.put(1)
        return lambda: made.put(2), made.get
    if method == "join":
        made.put(1)
        return made.join, made.task_done
    return made.get, lambda: made.put(1)


def futures(name: str, room: Room) -> Waits | None:
    if not name.startswith("concurrent.futures."):
        return None
    method = name.rpartition(".")[2]
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    done = threading.Event()
    pool = concurrent.futures.ThreadPoolExecutor(1)
    match method:
        case "result" | "exception":
            return getattr(future, method), lambda: future.set_result(1)
        case "wait":
            return lambda: concurrent.futures.wait([future]), lambda: future.set_result(1)
        case "as_completed":
            return lambda: list(concurrent.futures.as_completed([future])), lambda: future.set_result(1)
        case "map":
            return lambda: list(pool.map(lambda _: done.wait(), [1])), done.set
    pool.submit(done.wait)
    return pool.shutdown, done.set


def pools(name: str, room: Room) -> Waits | Takes | None:
    owner, _, method = name.rpartition(".")
    if owner == "multiprocessing.Process":
        process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(A_WHILE,))
        return lambda: (process.start(), process.join()), A_WHILE
    if not owner.startswith("multiprocessing.pool."):
        return None
    pool, done = multiprocessing.pool.ThreadPool(1), threading.Event()
    room.stack.callback(pool.terminate)
    if owner.endswith("AsyncResult"):
        return getattr(pool.apply_async(done.wait), method), done.set
    match method:
        case "apply":
            return lambda: pool.apply(done.wait), done.set
        case "starmap":
            return lambda: pool.starmap(done.wait, [()]), done.set
        case "join":
            pool.apply_async(done.wait)
            pool.close()
            return pool.join, done.set
    return lambda: list(getattr(pool, method)(lambda _: done.wait(), [1])), done.set


def connections(name: str, room: Room) -> Waits | None:
    owner, _, method = name.rpartition(".")
    here, there = socket.socketpair()
    room.stack.callback(here.close)
    room.stack.callback(there.close)
    match name:
        case "select.select":
            return lambda: select.select([here], [], []), lambda: there.send(b"x")
        case "selectors.DefaultSelector.select":
            selector = selectors.DefaultSelector()
            selector.register(here, selectors.EVENT_READ)
            return selector.select, lambda: there.send(b"x")
        case "multiprocessing.connection.Listener.accept":
            path = str(room.folder / "socket")
            listener = multiprocessing.connection.Listener(path, "AF_UNIX")
            return listener.accept, lambda: multiprocessing.connection.Client(path)
        case "fcntl.flock":
            first, second = (room.stack.enter_context((room.folder / "lock").open("w")) for _ in range(2))
            fcntl.flock(first, fcntl.LOCK_EX)
            return lambda: fcntl.flock(second, fcntl.LOCK_EX), lambda: fcntl.flock(first, fcntl.LOCK_UN)
    if not owner.startswith("multiprocessing.connection"):
        return None
    reader, writer = multiprocessing.Pipe()
    if method == "wait":
        return lambda: multiprocessing.connection.wait([reader]), lambda: writer.send(b"x")
    return getattr(reader, method), lambda: writer.send(b"x")


def pipes(name: str, room: Room) -> Waits | None:
    """A file that is a pipe: reading waits for somebody to write, and writing for somebody to read."""
    owner, _, method = name.rpartition(".")
    if owner != "io.FileIO":
        return None
    reading, writing = os.pipe()
    if method.startswith("write"):
        file, much = io.FileIO(writing, "w"), bytes(1_000_000)
        return lambda: getattr(file, method)(much if method == "write" else [much]), lambda: os.close(reading)
    file = io.FileIO(reading)
    arguments = [bytearray(1)] if method == "readinto" else []

    def release() -> None:
        os.write(writing, b"x\n")
        os.close(writing)

    return lambda: getattr(file, method)(*arguments), release


def _called(name: str, folder: Path) -> Callable[[], object]:
    """A call of something that works on files: on its own name, where that is enough."""
    file, other, made, inside = folder / "file", folder / "other", folder / "made", folder / "inside"
    file.write_bytes(b"[text]\n")
    made.mkdir()
    inside.mkdir()
    (inside / "a").write_bytes(b"")
    archive = folder / "archive.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("name", b"content")
    tape = folder / "archive.tar"
    with tarfile.open(tape, "w") as taped:
        taped.add(file, "name")
    owner, _, method = name.rpartition(".")
    function: Any = resolve(name)
    match name:
        case "tarfile.TarFile" | "tarfile.open":
            return lambda: function(tape)
        case "zipfile.ZipFile" | "zipfile.PyZipFile" | "zipfile.is_zipfile":
            return lambda: function(archive)
        case "gzip.GzipFile" | "gzip.open" | "bz2.open" | "bz2.BZ2File" | "lzma.open" | "lzma.LZMAFile":
            return lambda: function(str(file), "rb")
        case "linecache.getline" | "linecache.getlines":
            linecache.clearcache()
            return lambda: function(str(file), *([1] if method == "getline" else []))
        case "filecmp.cmp":
            shutil.copyfile(file, other)
            os.utime(other, (1, 1))
            return lambda: filecmp.cmp(file, other, shallow=False)
        case "filecmp.cmpfiles":
            (made / "a").write_bytes(b"")
            return lambda: filecmp.cmpfiles(inside, made, ["a"], shallow=False)
        case "configparser.ConfigParser.read":
            return lambda: configparser.ConfigParser().read(file)
        case "zipfile.ZipFile.extract" | "zipfile.ZipFile.extractall":
            arguments = ["name"] if method == "extract" else []
            return lambda: getattr(zipfile.ZipFile(archive), method)(*arguments, path=made)
        case "tarfile.TarFile.extract" | "tarfile.TarFile.extractall":
            arguments = ["name"] if method == "extract" else []
            return lambda: getattr(tarfile.open(tape), method)(*arguments, path=made)
        case "tarfile.TarFile.add":
            return lambda: tarfile.open(tape, "a").add(file)
        case "shutil.copyfileobj":
            return lambda: shutil.copyfileobj(file.open("rb"), io.BytesIO())
        case "shutil.rmtree" | "os.listdir" | "os.scandir":
            return lambda: function(inside)
        case "os.walk" | "os.fwalk":
            return lambda: list(function(inside))
        case "shutil.copytree" | "shutil.move":
            return lambda: function(inside, other)
        case "shutil.make_archive":
            return lambda: function(str(other), "zip", inside)
        case "shutil.unpack_archive":
            return lambda: function(archive, made)
        case "glob.glob" | "glob.iglob":
            return lambda: list(function(str(folder / "*")))
        case "os.mkdir":
            return lambda: function(other)
        case "os.makedirs":
            return lambda: function(other / "deeper")
        case "os.rmdir" | "os.removedirs":
            return lambda: function(made)
        case "os.chmod":
            return lambda: function(file, 0o600)
        case "os.truncate":
            return lambda: function(file, 0)
        case "os.chown" | "os.lchown":
            return lambda: function(file, -1, -1)
        case "pathlib.Path.write_text" | "pathlib.Path.write_bytes":
            return lambda: getattr(file, method)("" if method == "write_text" else b"")
    if owner == "pathlib.Path":
        given: dict[str, list[object]] = {
            "mkdir": [], "rename": [other], "replace": [other], "chmod": [0o600], "lchmod": [0o600],
            "symlink_to": [other], "hardlink_to": [other], "glob": ["*"], "rglob": ["*"],
        }  # fmt: skip
        subject = {"rmdir": made, "iterdir": inside, "glob": inside, "rglob": inside, "hardlink_to": other}
        subject |= {"mkdir": folder / "new", "symlink_to": folder / "new", "walk": inside}
        if method == "hardlink_to":
            return lambda: other.hardlink_to(file)
        found = subject.get(method, file)
        lazy = method in ("iterdir", "glob", "rglob", "walk")
        return lambda: (list if lazy else bool)(getattr(found, method)(*given.get(method, [])))
    two = method in (
        "copy",
        "copy2",
        "copyfile",
        "copymode",
        "copystat",
        "link",
        "symlink",
        "rename",
        "renames",
        "replace",
    )
    if two and method in ("copymode", "copystat"):
        other.write_bytes(b"")
    if owner == "tempfile":
        return lambda: function(dir=folder)
    return lambda: function(file, other) if two else function(file)


def events(name: str, room: Room) -> tuple[Callable[[], object], str] | None:
    """What says that it begins to work on files: the call, and the event of `sys.audit` that it must raise."""
    if CALLS[name].code not in ("AIO104", "AIO105") or name in SILENT or name.startswith("io.FileIO."):
        return None
    return _called(name, room.folder), EVENTS.get(name.rpartition(".")[2], EVENTS.get(name, "open"))


# The events of what does not open a file, by the last word of its name, or the whole.
EVENTS = {
    "chmod": "os.chmod", "chown": "os.chown", "lchown": "os.chown", "lchmod": "os.chmod", "link": "os.link",
    "hardlink_to": "os.link", "symlink": "os.symlink", "symlink_to": "os.symlink", "listdir": "os.listdir",
    "scandir": "os.scandir", "walk": "os.scandir", "fwalk": "os.scandir",
    "iterdir": "os.scandir" if sys.version_info >= (3, 13) else "os.listdir",
    "rglob": "os.scandir", "mkdir": "os.mkdir", "makedirs": "os.mkdir", "rmdir": "os.rmdir",
    "removedirs": "os.rmdir", "remove": "os.remove", "unlink": "os.remove", "rename": "os.rename",
    "renames": "os.rename", "replace": "os.rename", "truncate": "os.truncate", "utime": "os.utime",
    "touch": "os.utime", "copymode": "shutil.copymode", "copystat": "shutil.copystat", "rmtree": "shutil.rmtree",
    "mkdtemp": "os.mkdir", "TemporaryDirectory": "os.mkdir", "glob.glob": "glob.glob", "glob.iglob": "glob.glob",
    "pathlib.Path.glob": "os.scandir", "shutil.move": "shutil.move",
}  # fmt: skip

# What only asks, which raises no event and never waits in a test.
SILENT = {
    name: "only asks the file system, which answers at once here"
    for name in CALLS
    if CALLS[name].code == "AIO105"
    and name.rpartition(".")[2]
    in {
        "exists", "lexists", "isfile", "isdir", "islink", "ismount", "getsize", "getmtime", "getatime", "getctime",
        "realpath", "samefile", "access", "stat", "lstat", "readlink", "statvfs", "disk_usage", "which", "is_file",
        "is_dir", "is_symlink", "is_mount", "is_socket", "is_fifo", "is_block_device", "is_char_device", "resolve",
        "owner", "group", "is_junction", "lchmod",
    }
}  # fmt: skip
SILENT |= {
    "os.fsync": "waits for the disk", "os.fdatasync": "waits for the disk", "os.sync": "waits for all disks",
    "io.FileIO.flush": "writes what is buffered", "io.FileIO.truncate": "takes as long as the disk takes",
    "zipfile.ZipFile.testzip": "reads what is open already",
    "signal.sigwait": "waits for a signal, which would end the tests",
    "signal.sigwaitinfo": "waits for a signal, which would end the tests",
    "signal.pause": "waits for a signal, which would end the tests",
    "fcntl.lockf": "keeps other processes waiting only",
}  # fmt: skip
SCENES = (locks, queues, futures, pools, connections, pipes)
