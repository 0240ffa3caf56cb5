"""The tables of what blocks, against reality: the standard library's part exists, and really keeps a loop waiting."""

from __future__ import annotations

import ast
import bz2
import datetime as dt
import email.message
import ftplib
import gc
import gzip
import hashlib
import http.client
import http.server
import imaplib
import inspect
import io
import lzma
import os
import poplib
import smtplib
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
import urllib.robotparser
import xmlrpc.client
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import waiting
from reality import Audit, exists_here, is_standard, resolve, takes, waits

from flake8_asyncpatterns.knowledge.blocking import (
    ATTRIBUTES,
    CALLS,
    NEVER,
    RETURNS,
    SAME,
    consoles,
    cpu,
    databases,
    files,
    network,
    primitives,
    sleeps,
    subprocesses,
)

STANDARD = {name: entry for name, entry in CALLS.items() if is_standard(name)}
LOCAL = "127.0.0.1"
MUCH = b"x" * 20_000_000  # more than any buffer takes
A_WHILE = 0.05

pytestmark = [
    # What is cut off in the middle leaves sockets behind; forks beside threads, and modules on their way out, warn.
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(sys.platform == "win32", reason="uses sleep(1), and locks of Unix"),
]


def is_missing(name: str) -> bool:
    try:
        return resolve(name) is None
    except (ImportError, AttributeError):
        return True


def test_every_name_exists_just_where_its_table_says_so() -> None:
    assert [name for name, entry in STANDARD.items() if is_missing(name) is exists_here(entry)] == []


def types() -> Iterator[str]:
    """Every type that the tables speak of."""
    for text in (*RETURNS.values(), *SAME.values(), *ATTRIBUTES.values()):
        yield from (ast.unparse(n) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute))
    yield from (
        name.rstrip("[]()").removesuffix(".*") for name in ATTRIBUTES if not name.startswith("subprocess.Popen.")
    )


def test_every_type_and_what_gives_it_exists() -> None:
    names = {name for name in (*RETURNS, *SAME, *types()) if is_standard(name)}
    assert [name for name in sorted(names) if is_missing(name)] == []


def test_no_two_tables_speak_of_one_name() -> None:
    tables = [consoles, cpu, databases, files, network, primitives, sleeps, subprocesses]
    assert sum(len(table.CALLS) for table in tables) == len(CALLS)
    assert not NEVER & set(CALLS)


class Room(NamedTuple):
    """Where a scene is set, and what is cleared away after it."""

    folder: Path
    stack: ExitStack


class Peer:
    """A server of one connection that says little, and then nothing more, until it hangs up."""

    def __init__(self, talk: Callable[[Any], object] = lambda line: None) -> None:
        self.listening = socket.create_server((LOCAL, 0))
        self.port: int = self.listening.getsockname()[1]
        self.talk = talk
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.connections.append(connection)
                self.talk(connection.makefile("rwb", buffering=0))

    def hang_up(self) -> None:
        """End all connections: whoever waits for an answer learns that there will be none."""
        for each in (self.listening, *self.connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def full_queue() -> Iterator[int]:
    """The port of a server that has more connections waiting than it takes: the next one waits for its turn."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((LOCAL, 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(server.getsockname())
        yield server.getsockname()[1]


def says(*answers: bytes) -> Callable[[Any], None]:
    """Greet with the first of these; answer each line with the next, in which `%` is that line's first word."""

    def talk(stream: Any) -> None:
        stream.write(answers[0])
        for answer in answers[1:]:
            tag = stream.readline().partition(b" ")[0]
            stream.write(answer.replace(b"%", tag))

    return talk


def needed(function: Callable[..., object]) -> list[object]:
    """Something for every argument that a method needs."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    wanted = (p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD)
    return ["1" for _ in wanted]


# What is to be shown: a call that waits until it is released, one that takes a time, or one that raises an event.
Waits: TypeAlias = tuple[Callable[[], object], Callable[[], object]]
Takes: TypeAlias = tuple[Callable[[], object], float]
Raises: TypeAlias = tuple[Callable[[], object], str]


def conversation(name: str, room: Room) -> Waits | Takes | None:
    """Clients of protocols in which the client waits for answers."""
    owner, _, method = name.rpartition(".")
    if name in ("smtplib.SMTP", "smtplib.SMTP_SSL", "smtplib.LMTP", "imaplib.IMAP4", "imaplib.IMAP4_SSL",
                "poplib.POP3", "poplib.POP3_SSL", "nntplib.NNTP", "nntplib.NNTP_SSL", "ftplib.FTP",
                "ftplib.FTP_TLS"):  # fmt: skip
        peer, cls = Peer(), resolve(name)
        if name.startswith("ftplib."):
            client = cls()
            return lambda: client.connect(LOCAL, peer.port), peer.hang_up  # what its constructor does, with a port
        return lambda: cls(LOCAL, peer.port), peer.hang_up
    if owner in ("smtplib.SMTP", "smtplib.LMTP"):
        return smtp(method, resolve(owner))
    if owner == "imaplib.IMAP4":
        return imap(method, room)
    if owner == "poplib.POP3":
        peer = Peer(says(b"+OK <1@example>\r\n"))
        pop = poplib.POP3(LOCAL, peer.port)
        arguments = needed(getattr(poplib.POP3, method))
        return lambda: getattr(pop, method)(*arguments), peer.hang_up
    if owner in ("ftplib.FTP", "ftplib.FTP_TLS"):
        return ftp(method, resolve(owner))
    if owner == "nntplib.NNTP":
        return nntp(method)
    if owner == "telnetlib.Telnet" and method.startswith(("read", "expect", "interact")):
        peer = Peer()
        telnet = resolve(owner)(LOCAL, peer.port)
        telnet_arguments = {"expect": [[b"x"]], "read_until": [b"x"]}.get(method, [])
        return lambda: getattr(telnet, method)(*telnet_arguments), peer.hang_up
    return None


def smtp(method: str, cls: type[smtplib.SMTP]) -> Waits:
    if method == "connect":
        peer = Peer()
        return lambda: cls().connect(LOCAL, peer.port), peer.hang_up
    peer = Peer(says(b"220 hello\r\n"))
    client = cls(LOCAL, peer.port)
    message = email.message.EmailMessage()
    message["From"], message["To"] = "a@example", "b@example"
    special: dict[str, list[object]] = {
        "send_message": [message], "auth": ["PLAIN", lambda challenge=None: "x"], "sendmail": ["a", ["b"], "text"],
    }  # fmt: skip
    arguments = special.get(method, needed(getattr(cls, method)))
    return lambda: getattr(client, method)(*arguments), peer.hang_up


def imap(method: str, room: Room) -> Waits | Takes:
    if method == "open":
        port = room.stack.enter_context(full_queue())
        return lambda: imaplib.IMAP4.open(object.__new__(imaplib.IMAP4), LOCAL, port, timeout=A_WHILE), A_WHILE
    capabilities = b"* CAPABILITY IMAP4REV1 ENABLE STARTTLS AUTH=CRAM-MD5\r\n% OK done\r\n"
    peer = Peer(says(b"* OK hello\r\n", capabilities))
    client = imaplib.IMAP4(LOCAL, peer.port)
    command = {"login_cram_md5": "AUTHENTICATE", "recent": "NOOP"}.get(method, method.upper())
    client.state = imaplib.Commands.get(command, ("SELECTED",))[0]
    special: dict[str, list[object]] = {
        "append": ["a", None, None, b"text"], "authenticate": ["PLAIN", lambda challenge: b""], "read": [1],
        "uid": ["FETCH", "1"],
    }  # fmt: skip
    arguments = special.get(method, needed(getattr(imaplib.IMAP4, method)))
    return lambda: getattr(client, method)(*arguments), peer.hang_up


def ftp(method: str, cls: type[ftplib.FTP]) -> Waits:
    peer = Peer(says(b"220 hello\r\n") if method != "connect" else says(b""))
    client = cls()
    if method == "connect":
        return lambda: client.connect(LOCAL, peer.port), peer.hang_up
    client.connect(LOCAL, peer.port)
    special: dict[str, list[object]] = {
        "retrbinary": ["RETR a", print], "storbinary": ["STOR a", io.BytesIO()], "storlines": ["STOR a", io.BytesIO()],
        "sendport": [LOCAL, 1], "sendeprt": [LOCAL, 1],
    }  # fmt: skip
    arguments = special.get(method, needed(getattr(cls, method)))
    return lambda: getattr(client, method)(*arguments), peer.hang_up


def nntp(method: str) -> Waits:
    capabilities = b"101 these\r\nVERSION 2\r\nSTARTTLS\r\nOVER\r\n.\r\n"
    peer = Peer(says(b"200 hello\r\n", capabilities))
    client = resolve("nntplib.NNTP")(LOCAL, peer.port)  # type: ignore[operator]
    day = dt.date(2026, 1, 1)
    special: dict[str, list[object]] = {
        "newgroups": [day], "newnews": ["a", day], "post": [b"text"], "ihave": ["<1>", b"text"], "over": ["<1>"],
        "login": ["a", "b", False],
    }  # fmt: skip
    arguments = special.get(method, needed(getattr(type(client), method)))
    return lambda: getattr(client, method)(*arguments), peer.hang_up


def http_calls(name: str, room: Room) -> Waits | Takes | None:
    owner, _, method = name.rpartition(".")
    peer = Peer()
    url = f"http://{LOCAL}:{peer.port}/"
    match name:
        case "urllib.request.urlopen":
            return lambda: urllib.request.urlopen(url), peer.hang_up
        case "urllib.request.urlretrieve":
            return lambda: urllib.request.urlretrieve(url), peer.hang_up
        case "urllib.request.URLopener.open":
            return lambda: urllib.request.URLopener().open(url), peer.hang_up  # type: ignore[attr-defined, unused-ignore]
        case "urllib.request.OpenerDirector.open":
            return lambda: urllib.request.build_opener().open(url), peer.hang_up
        case "urllib.robotparser.RobotFileParser.read":
            return lambda: urllib.robotparser.RobotFileParser(url).read(), peer.hang_up
        case "xmlrpc.client.ServerProxy.*":
            return lambda: xmlrpc.client.ServerProxy(url).anything(), peer.hang_up
        case "http.client.HTTPSConnection.connect":
            return http.client.HTTPSConnection(LOCAL, peer.port).connect, peer.hang_up
        case "http.client.HTTPConnection.getresponse":
            asked = http.client.HTTPConnection(LOCAL, peer.port)
            asked.request("GET", "/")
            return asked.getresponse, peer.hang_up
        case "http.client.HTTPConnection.connect" | "http.client.HTTPConnection.request":
            port = room.stack.enter_context(full_queue())
            arguments = ["GET", "/"] if method == "request" else []
            connection = http.client.HTTPConnection(LOCAL, port, timeout=A_WHILE)
            return lambda: getattr(connection, method)(*arguments), A_WHILE
    if owner == "http.client.HTTPResponse":
        peer = Peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"))
        asked = http.client.HTTPConnection(LOCAL, peer.port)
        asked.request("GET", "/")
        response = asked.getresponse()
        arguments = [bytearray(10)] if method == "readinto" else []
        return lambda: getattr(response, method)(*arguments), peer.hang_up
    return None


def sockets(name: str, room: Room) -> Waits | Takes | None:
    owner, _, method = name.rpartition(".")
    if name in ("socket.create_connection", "socket.socket.connect", "ssl.SSLSocket.connect", "telnetlib.Telnet",
                "telnetlib.Telnet.open"):  # fmt: skip
        port = room.stack.enter_context(full_queue())
        if name == "socket.create_connection":
            return lambda: socket.create_connection((LOCAL, port), timeout=A_WHILE), A_WHILE
        if owner == "telnetlib":
            return lambda: resolve(name)(LOCAL, port, timeout=A_WHILE), A_WHILE  # type: ignore[operator]
        if owner == "telnetlib.Telnet":
            return lambda: resolve(owner)().open(LOCAL, port, timeout=A_WHILE), A_WHILE  # type: ignore[operator]
        ours = socket.socket() if owner == "socket.socket" else tls().wrap_socket(socket.socket())
        ours.settimeout(A_WHILE)
        return lambda: ours.connect((LOCAL, port)), A_WHILE
    if name == "ssl.get_server_certificate":
        peer = Peer()
        return lambda: ssl.get_server_certificate((LOCAL, peer.port)), peer.hang_up
    if owner not in ("socket.socket", "ssl.SSLSocket"):
        return None
    if method == "accept":
        listening: socket.socket = socket.create_server((LOCAL, 0))
        address = listening.getsockname()
        if owner == "ssl.SSLSocket":
            listening = tls().wrap_socket(listening)
        return listening.accept, lambda: socket.create_connection(address).close()
    here, there = socket.socketpair()
    if owner == "ssl.SSLSocket":
        here = tls().wrap_socket(here, do_handshake_on_connect=False)
    special: dict[str, list[object]] = {
        "recv_into": [bytearray(1)], "recvfrom_into": [bytearray(1)], "recvmsg_into": [[bytearray(1)]], "send": [MUCH],
        "sendall": [MUCH], "sendmsg": [[MUCH]], "do_handshake": [], "write": [MUCH],
    }  # fmt: skip
    if method == "sendfile":
        (room.folder / "much").write_bytes(MUCH)
        special["sendfile"] = [(room.folder / "much").open("rb")]
    arguments = special.get(method, [1])
    return lambda: getattr(here, method)(*arguments), there.close


def tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def servers(name: str, room: Room) -> Waits | Takes | None:
    method = name.rpartition(".")[2]
    if method not in ("serve_forever", "handle_request"):
        return None
    server = http.server.HTTPServer((LOCAL, 0), http.server.BaseHTTPRequestHandler)
    if method == "serve_forever":
        return server.serve_forever, lambda: (server.shutdown(), server.server_close())
    server.timeout = A_WHILE
    return server.handle_request, A_WHILE


def processes(name: str, room: Room) -> Takes | None:
    sleep = ["/bin/sleep", str(A_WHILE)]
    line = " ".join(sleep)
    owner, _, method = name.rpartition(".")
    if owner == "subprocess":
        command = line if method.startswith("get") else sleep
        return lambda: getattr(subprocess, method)(command), A_WHILE
    if name == "subprocess.Popen.communicate" or name == "subprocess.Popen.wait":
        return lambda: getattr(subprocess.Popen(sleep), method)(), A_WHILE
    if owner == "subprocess.Popen.stdout":

        def read() -> None:
            child = subprocess.Popen(f"{line}; echo done", shell=True, stdout=subprocess.PIPE)
            getattr(child.stdout, method)()
            child.communicate()

        return read, A_WHILE
    if name == "os.system":
        return lambda: os.system(line), A_WHILE
    if name == "os.popen":
        return lambda: os.popen(line).close(), A_WHILE
    if name.startswith("os.spawn"):
        arguments: list[Any] = sleep if "spawnl" in name else [sleep]
        environment: list[Any] = [os.environ] if name.endswith("e") else []
        return lambda: getattr(os, method)(os.P_WAIT, sleep[0], *arguments, *environment), A_WHILE
    if name.startswith("os.wait"):

        def wait() -> object:
            child = os.posix_spawn(sleep[0], sleep, os.environ)
            given: dict[str, list[int]] = {
                "wait": [], "waitpid": [child, 0], "wait3": [0], "wait4": [child, 0],
                "waitid": [os.P_PID, child, os.WEXITED],
            }  # fmt: skip
            return getattr(os, method)(*given[method])

        return wait, A_WHILE
    return None


def sqlite(name: str, room: Room) -> Waits | Takes | None:
    owner, _, method = name.rpartition(".")
    if owner not in ("sqlite3.Connection", "sqlite3.Cursor"):
        return None
    path = room.folder / "a.db"
    ours = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    ours.execute("CREATE TABLE t (x)")
    ours.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    if method.startswith("fetch"):
        ours.create_function("nap", 0, lambda: time.sleep(A_WHILE))
        cursor = ours.execute("SELECT 1 UNION ALL SELECT nap()")
        arguments = [9] if method == "fetchmany" else []
        # Which of two calls makes the second step differs from version to version.
        return lambda: (getattr(cursor, method)(*arguments), getattr(cursor, method)(*arguments)), A_WHILE
    theirs = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    statement: dict[str, list[object]] = {
        "execute": ["INSERT INTO t VALUES (3)"], "executemany": ["INSERT INTO t VALUES (?)", [(3,)]],
        "executescript": ["INSERT INTO t VALUES (3);"], "commit": [],
    }  # fmt: skip
    if method == "commit":
        ours.execute("BEGIN")
        ours.execute("INSERT INTO t VALUES (3)")
        theirs.execute("BEGIN")
        theirs.execute("SELECT * FROM t").fetchone()
    else:
        theirs.execute("BEGIN EXCLUSIVE")
    if method == "backup":
        source = sqlite3.connect(":memory:", check_same_thread=False)
        return lambda: source.backup(ours, sleep=0.01), theirs.rollback
    subject = ours if owner.endswith("Connection") else ours.cursor()
    return lambda: getattr(subject, method)(*statement[method]), theirs.rollback


def typing(name: str, room: Room) -> Waits | None:
    if name not in consoles.CALLS:
        return None
    reading, writing = os.pipe()
    stdin = os.fdopen(reading)
    previous, sys.stdin = sys.stdin, stdin

    def release() -> None:
        os.write(writing, b"typed\n")
        os.close(writing)

    def ask() -> None:
        try:
            resolve(name)()  # type: ignore[operator]
        finally:
            sys.stdin = previous

    return ask, release


def computing(name: str, room: Room) -> Takes | None:
    text = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(10_000))
    packed = bytes(8_000_000)
    a_moment = 0.001
    module, _, function = name.rpartition(".")
    if function == "compress":
        return lambda: resolve(name)(text), a_moment  # type: ignore[operator]
    if function == "decompress":
        small = {"gzip": gzip, "bz2": bz2, "lzma": lzma, "zlib": zlib}[module].compress(packed)  # type: ignore[attr-defined]
        return lambda: resolve(name)(small), a_moment  # type: ignore[operator]
    match name:
        case "hashlib.pbkdf2_hmac":
            return lambda: hashlib.pbkdf2_hmac("sha256", b"a", b"b", 200_000), a_moment
        case "hashlib.scrypt":
            return lambda: hashlib.scrypt(b"a", salt=b"b", n=2**14, r=8, p=1), a_moment
        case "crypt.crypt":
            return lambda: resolve(name)("a", "$6$rounds=100000$salt$"), a_moment  # type: ignore[operator]
        case "time.sleep":
            return lambda: time.sleep(A_WHILE), A_WHILE
    return None


# What cannot be made to wait in a test, but says when it begins to.
EVENTS = {
    "socket.getaddrinfo": (lambda: socket.getaddrinfo(LOCAL, 1), "socket.getaddrinfo"),
    "socket.gethostbyname": (lambda: socket.gethostbyname(LOCAL), "socket.gethostbyname"),
    "socket.gethostbyname_ex": (lambda: socket.gethostbyname_ex(LOCAL), "socket.gethostbyname"),
    "socket.gethostbyaddr": (lambda: socket.gethostbyaddr(LOCAL), "socket.gethostbyaddr"),
    "socket.getfqdn": (lambda: socket.getfqdn(LOCAL), "socket.gethostbyaddr"),
    "socket.getnameinfo": (lambda: socket.getnameinfo((LOCAL, 1), socket.NI_NUMERICHOST), "socket.getnameinfo"),
    "sqlite3.connect": (lambda: sqlite3.connect(":memory:").close(), "sqlite3.connect"),
}
NOT_CALLED = {
    "imaplib.IMAP4_stream": "starts a shell that speaks IMAP",
    "imaplib.IMAP4_stream.open": "starts a shell that speaks IMAP",
    "imaplib.IMAP4_stream.read": "reads from the shell",
    "imaplib.IMAP4_stream.readline": "reads from the shell",
    "imaplib.IMAP4_SSL.open": "is what IMAP4.open is, and a handshake",
    "pty.spawn": "takes over the terminal",
    "telnetlib.Telnet.interact": "takes over the terminal",
    **waiting.SILENT,
}
SCENES = (conversation, http_calls, sockets, servers, processes, sqlite, typing, computing, *waiting.SCENES)


def of_its_own() -> Iterator[str]:
    """The entries; of those that several classes inherit, one."""
    seen: set[object] = set()
    for name, entry in STANDARD.items():
        if exists_here(entry):
            found = resolve(name)
            if found not in seen:
                seen.add(found)
                yield name


@pytest.fixture(scope="module")
def audit() -> Audit:
    return Audit()


@pytest.fixture(scope="module", autouse=True)
def _cleared_away() -> Iterator[None]:
    yield
    gc.collect()  # now, while nobody minds the warnings


@pytest.fixture(autouse=True)
def _no_terminal_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.open
    monkeypatch.setattr(os, "open", lambda path, *args, **kw: original("" if path == "/dev/tty" else path, *args, **kw))
    monkeypatch.setenv("no_proxy", "*")


@pytest.mark.parametrize("name", [name for name in of_its_own() if name not in NOT_CALLED])
def test_a_coroutine_that_calls_it_keeps_its_loop_waiting(name: str, tmp_path: Path, audit: Audit) -> None:
    if name in EVENTS:
        call, event = EVENTS[name]
        assert event in audit.of(call)
        return
    with ExitStack() as stack:
        if raises := waiting.events(name, Room(tmp_path, stack)):
            call, event = raises
            assert event in audit.of(call)
            return
        made = (scene(name, Room(tmp_path, stack)) for scene in SCENES)
        call, until = next(found for found in made if found)
        assert waits(call, until) if callable(until) else takes(call, until)
        del call, until


@pytest.mark.parametrize("name", NOT_CALLED)
def test_what_is_not_called_is_in_a_table(name: str) -> None:
    assert name in CALLS


def test_what_does_not_wait_is_found_out() -> None:
    assert not waits(lambda: None, lambda: None)
    assert not takes(lambda: None, A_WHILE)
