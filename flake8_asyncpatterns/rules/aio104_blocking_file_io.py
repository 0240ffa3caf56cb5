"""Reading, writing or copying files in a coroutine stops the whole event loop until the disk is through.

Files have no asyncio of their own: `open()`, `Path.read_text()`, `shutil.copytree()` wait in the thread that calls
them, which is the event loop's. A small file on a local disk takes microseconds; a large one, a folder, or a network
drive takes seconds, and no other task runs then.

```python run
import asyncio
import tempfile
from pathlib import Path


async def tick(ticks):
    while True:
        ticks.append("tick")
        await asyncio.sleep(0)


async def main(path):
    ticks = []
    ticking = asyncio.create_task(tick(ticks))
    path.write_bytes(bytes(10_000_000))
    print("written, others had a turn:", bool(ticks))
    data = await asyncio.to_thread(path.read_bytes)
    print("read,", len(data), "bytes, others had a turn:", bool(ticks))
    ticking.cancel()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(Path(folder) / "data"))
```

```text
written, others had a turn: False
read, 10000000 bytes, others had a turn: True
```

```python bad
import shutil

async def copy(source, target):
    shutil.copytree(source, target)
```

```python good
import asyncio
import shutil

async def copy(source, target):
    await asyncio.to_thread(shutil.copytree, source, target)
```

A `with open(…)` is one finding, at the `open()`. Where all that happens inside is one `read` or `write`, it is mended:

```python bad
import json
from pathlib import Path

class Store:
    def __init__(self, folder):
        self.folder = Path(folder)

    async def load(self, key):
        with open(self.folder / f"{key}.json", encoding="utf-8") as file:
            return json.load(file)

    async def save(self, key, data):
        with open(self.folder / f"{key}.json", "wb") as file:
            file.write(data)
```

```python good
import asyncio
import json
from pathlib import Path

class Store:
    def __init__(self, folder):
        self.folder = Path(folder)

    async def load(self, key):
        return json.loads(await asyncio.to_thread((self.folder / f"{key}.json").read_text, encoding="utf-8"))

    async def save(self, key, data):
        await asyncio.to_thread((self.folder / f"{key}.json").write_bytes, data)
```

A file that another function has opened is reported where a coroutine first uses it, and so is a `while` that reads on
and on from one. Nothing is said of `anyio.Path` and `aiofiles`, of archives in memory (`ZipFile(BytesIO())`), of what
the kernel makes up (`/dev`, `/proc`, `/sys`), of files that are opened only for threads to work on, and in tests. What
is done by way of plain functions is AIO114's.

## Fix

Unsafe: `await asyncio.to_thread(…)` lets other tasks run in the meantime; two of them may now write the same file at
once, for which an `asyncio.Lock` is right. Where more is done with an open file than one `read` or `write`, it is left
to you: move the whole block into a function, and hand that to a thread.

## When to ignore

Where the file is small and on a local disk, or nothing else runs at that time: a configuration that is read at start.

## Other tools

flake8-async and ruff report `open()` and its like (ASYNC230), ruff methods of a path as well (ASYNC240), flake8-async
those of an open file (ASYNC231, ASYNC232), Sonar `open()` (S7493). They do so in tests, too, and leave the fix to you.
Here a path is one by its inferred type, on attributes, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..analysis.blocking import IN_A_THREAD, blocking, library, report, stands_in
from ..analysis.callbacks import arguments
from ..knowledge.blocking.files import FILE
from ..module import Module
from ..rule import Edit, Fix, Hole, Replace, Report, Symbol, replace, rule
from ..scopes import COMPREHENSIONS, FUNCTIONS
from ..tuples import NamedTuple

READS = {"": "read_text", "r": "read_text", "rt": "read_text", "rb": "read_bytes"}
WRITES = {"w": "write_text", "wt": "write_text", "wb": "write_bytes"}
LOADS = {"json.load": "json.loads", "pickle.load": "pickle.loads"}
DUMPS = {"json.dump": "json.dumps", "pickle.dump": "pickle.dumps"}
# Arguments of `open()` that the methods of a path have, too.
SHARED = frozenset({"encoding", "errors"})
PATH, TEXT, JOIN = "pathlib.Path", "builtins.str", "os.path.join"


@rule("AIO104", "blocking-file-io", ast.Module, needs=blocking("AIO104"))
def blocking_file_io(_: ast.Module, module: Module) -> Iterator[Report]:
    """Report calls in a coroutine that work on files."""
    for found in report("AIO104", module):
        fix = _at_once(found.node, module) if isinstance(found.node, ast.Call) else None
        found = found._replace(message=found.message.replace(f"`{FILE}.", "`file."))
        yield found._replace(fix=fix, refusal="") if fix else found


class Opened(NamedTuple):
    """A file that is opened for nothing but what a method of its path does: `path` in a template, and what fills it."""

    path: str
    holes: dict[str, Hole]
    mode: str
    options: list[ast.keyword]

    def call(self, methods: dict[str, str], *arguments: str) -> str:
        """The template of an awaited call of the method for this mode; empty: there is none."""
        method = methods.get(self.mode, "")
        if not method or (self.options and method.endswith("bytes")):
            return ""
        options = [f"{option.arg}={{o{number}}}" for number, option in enumerate(self.options)]
        return f"await {{run}}({', '.join((f'{self.path}.{method}', *arguments, *options))})"

    def filling(self) -> dict[str, Hole]:
        """What fills the holes of such a template."""
        options: dict[str, Hole] = {f"o{number}": option.value for number, option in enumerate(self.options)}
        return {"run": Symbol("asyncio.to_thread"), **self.holes, **options}


def _at_once(call: ast.Call, module: Module) -> Fix | None:
    """The fix for a file that is opened for one `read` or `write`: a method of its path does both."""
    opened = _opened(call, module) if library(module) == "asyncio" and module.coroutine(call) else None
    if opened is None:
        return None
    edits: list[Edit] = []
    around = module.parent(call)
    match around, module.parent(around) if around else None:
        case ast.withitem(context_expr=manager, optional_vars=ast.Name() as file), ast.With(items=[_]) as block:
            use = _only_use(file, block, module) if manager is call else None
            edits = [replace(block, "{body}", body=block.body), *_edits(use, file, opened, module)] if use else []
        case ast.Attribute(), ast.Call() as use:
            edits = _edits(use, call, opened, module)
        case ast.Call() as use, _:
            edits = _edits(use, call, opened, module)
    if not any(edit for edit in edits if isinstance(edit, Replace) and "{run}" in edit.template):
        return None
    reasons = "; ".join(filter(None, (IN_A_THREAD, stands_in(call, module))))
    return Fix(*edits, unsafe=reasons)


def _opened(call: ast.Call, module: Module) -> Opened | None:
    """What a call opens, if it is a path for certain and nothing is said of it that a path's methods do not know."""
    name = module.callee(call)
    options = [keyword for keyword in call.keywords if keyword.arg != "mode"]
    if any(option.arg not in SHARED for option in options):
        return None
    match name, call:
        case "pathlib.Path.open", ast.Call(func=ast.Attribute(value=path), args=modes):
            template, holes = "{path}", dict[str, Hole](path=path)
        case "builtins.open" | "io.open", ast.Call(args=[path, *modes]):
            kind = module.type_of(path)
            if kind not in (PATH, TEXT) and not (isinstance(path, ast.Call) and module.callee(path) == JOIN):
                return None
            template = "{path}" if kind == PATH else "{Path}({path})"
            holes = {"path": path} if kind == PATH else {"path": path, "Path": Symbol(PATH)}
        case _:
            return None
    modes = [*modes, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    match modes:
        case []:
            return Opened(template, holes, "", options)
        case [ast.Constant(value=str(mode))]:
            return Opened(template, holes, mode, options)
    return None


def _only_use(file: ast.Name, block: ast.With, module: Module) -> ast.Call | None:
    """The one call that an open file is there for, in the one plain statement of its block."""
    uses = [use for use in module.uses(file) if isinstance(use.ctx, ast.Load)]
    if not all(_is_within_its_block(use, module) for use in uses):
        return None
    match [use for use in uses if block in module.ancestors(use)], block.body:
        case [use], [ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.Return() as statement]:
            around = [*module.ancestors(use, below=statement)]
            if not any(isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)) for node in around):
                return next((node for node in around[:2] if isinstance(node, ast.Call)), None)
    return None


def _is_within_its_block(use: ast.Name, module: Module) -> bool:
    """Is a file used inside of a `with` that opens one under its name?"""
    return any(
        isinstance(around, ast.With)
        and any(isinstance(i.optional_vars, ast.Name) and i.optional_vars.id == use.id for i in around.items)
        for around in module.ancestors(use)
    )


def _edits(use: ast.Call, file: ast.expr, opened: Opened, module: Module) -> list[Edit]:
    """The edits that make one use of an open file a method of its path; none: it is no such use."""
    name, alone = module.callee(use), isinstance(module.parent(use), ast.Expr)
    match use:
        case ast.Call(func=ast.Attribute(value=value, attr="read"), args=[], keywords=[]) if _is(file, value):
            template = opened.call(READS)
            return [replace(use, template, **opened.filling())] if template else []
        case ast.Call(func=ast.Attribute(value=value, attr="write"), args=[data], keywords=[]) if alone and _is(
            file, value
        ):
            template = opened.call(WRITES, "{data}")
            return [replace(use, template, data=data, **opened.filling())] if template else []
        case ast.Call(func=function, args=[value, *_]) if name in LOADS and _is(file, value):
            template = opened.call(READS)
            load = replace(function, "{loads}", loads=Symbol(LOADS[name]))
            return [load, replace(value, template, **opened.filling())] if template else []
        case ast.Call(args=[_, value], keywords=keywords) if name in DUMPS and alone and _is(file, value):
            inner = arguments("a", use.args[:1], keywords)
            template = opened.call(WRITES, f"{{dumps}}({inner.text})")
            dumps = Symbol(DUMPS[name])
            return [replace(use, template, dumps=dumps, **inner.holes, **opened.filling())] if template else []
    return []


def _is(file: ast.expr, node: ast.expr) -> bool:
    """Is this the file itself, or the variable that it was bound to?"""
    return node is file or (isinstance(node, ast.Name) and isinstance(file, ast.Name) and node.id == file.id)
