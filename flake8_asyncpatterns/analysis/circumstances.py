"""Whether a call that may block does so where it stands: code around it may say that there is nothing to wait for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ..flow import body, exits, suspends
from ..knowledge.blocking.databases import IN_MEMORY
from ..knowledge.blocking.entry import Argument
from ..knowledge.blocking.files import FILE, MEMORY, NO_DISK, OPENS, OPENS_EITHER, READS_ON, STREAMS
from ..knowledge.blocking.network import KNOWN_HOST, RESOLVES
from ..knowledge.blocking.primitives import (
    ASKED_BY,
    BOUNDED,
    FINISHES,
    MAKES_DONE,
    MAXSIZE,
    NO_WAIT,
    POLLED_BY,
    SETTLES,
    WHEN_ITERATED,
)
from ..knowledge.loops import CONSUMERS, STOP_EARLY
from ..knowledge.names import THREADS
from ..module import Module
from ..narrowing import dotted
from ..scopes import FUNCTIONS

# What an object was made of is followed so far.
DEPTH = 4
# What runs a function that it is given in a thread.
IN_THREADS = frozenset({*THREADS.values(), "asyncio.AbstractEventLoop.run_in_executor"})


def waits(call: ast.Call, name: str, module: Module) -> bool:
    """May a call of a primitive have to wait, as far as the code around it tells?"""
    if name in WHEN_ITERATED:
        return iterated(call, module)
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    owner, _, method = name.rpartition(".")
    if owner == "fcntl":
        return not any(isinstance(n, (ast.Name, ast.Attribute)) and _last(n) in NO_WAIT for n in ast.walk(call))
    text = dotted(receiver) if receiver is not None else ""
    if receiver is None or not text:
        return method != "put"
    if method == "put" and owner in BOUNDED:
        return _is_bounded(receiver, module) and not _was_asked(call, method, text, module)
    if method == "acquire":
        return not _was_made_before(call, text, module) and not _was_asked(call, method, text, module)
    if method in FINISHES and owner == "concurrent.futures.Future":
        return not _is_done(call, receiver, text, module) and not _was_asked(call, method, text, module)
    if method == "join" and _has_said_so(call, receiver, module):
        return False
    return not _was_asked(call, method, text, module)


def asks_first(call: ast.Call, name: str, module: Module) -> bool:
    """Has the code asked whether there is anything to wait for, before it calls a method that stands for a primitive?

    That is one of the same name: `jobs.get()` of a class that is a `queue.Queue` with more to it, after `jobs.empty()`.
    """
    match call.func:
        case ast.Attribute(value=receiver, attr=method) if method == name.rpartition(".")[2] and (
            text := dotted(receiver)
        ):
            return _was_asked(call, method, text, module)
    return False


def iterated(given: ast.expr, module: Module) -> bool:
    """Is what an expression gives iterated over at once: by a loop, or by what takes all of it?"""
    node: ast.AST = given
    while True:
        around = module.parent(node)
        match around:
            case ast.For() | ast.comprehension() if around.iter is node:
                return True
            case ast.Starred() | ast.YieldFrom():
                return True
            case ast.Call() if node in around.args:
                if module.callee(around) in CONSUMERS | STOP_EARLY:
                    return True
                node = around  # `enumerate(…)`, `tqdm(…)`: what is iterated over may be that
            case _:
                return False


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _before(call: ast.Call, module: Module) -> Iterator[ast.AST]:
    """The nodes of the function around a call that stand before it."""
    function = module.function(call)
    place = (call.lineno, call.col_offset)
    for node in body(function if function is not None else module.tree):
        if (getattr(node, "lineno", place[0]), getattr(node, "col_offset", place[1])) < place:
            yield node


def _was_asked(call: ast.Call, method: str, text: str, module: Module) -> bool:
    """Has the code asked before whether there is anything to wait for?"""
    asked, polled = ASKED_BY.get(method, frozenset()), POLLED_BY.get(method, frozenset())
    if not asked and not polled:
        return False
    around = set(module.ancestors(call))
    for node in _before(call, module):
        match node:
            case ast.Attribute(value=receiver, attr=question) if question in asked and dotted(receiver) == text:
                return True
            case ast.While(test=test) if polled and node not in around:
                if any(
                    isinstance(n, ast.Attribute) and n.attr in polled and dotted(n.value) == text
                    for n in ast.walk(test)
                ):
                    return True
    return False


def _was_made_before(call: ast.Call, text: str, module: Module) -> bool:
    """Was what is acquired made in the same block, and has nobody else had it since?"""
    for before in reversed(module.above(module.statement(call))):
        match before:
            case ast.Assign(targets=targets, value=ast.Call()) if text in map(dotted, targets):
                return True
            case ast.AnnAssign(target=target, value=ast.Call()) if dotted(target) == text:
                return True
        if suspends(before):
            return False
    return False


def _is_done(call: ast.Call, receiver: ast.expr, text: str, module: Module) -> bool:
    """Is a future known to be done: was it waited for or settled before, or is it what a callback is handed?"""
    bindings = module.bindings(receiver) if isinstance(receiver, ast.Name) else None
    if module.coroutine(call) is None and any(isinstance(binding, ast.arg) for binding in bindings or ()):
        return True
    if _is_settled(call, text, module) or (bindings and all(_came_settled(store, module) for store in bindings)):
        return True
    if isinstance(receiver, ast.Attribute) and _keeps_settled(receiver, module):
        return True
    return any(
        (isinstance(node, ast.Call) and module.callee(node) in MAKES_DONE)
        or (isinstance(node, ast.Await) and dotted(node.value) == text)
        for node in _before(call, module)
    )


def _is_settled(point: ast.expr, future: str, module: Module) -> bool:
    """Has the code given a future its outcome, on every way that leads here?"""
    function = module.function(point)
    around = module.ancestors(point, below=function)
    return any(_settles(before, future) for node in around for before in module.above(node))


def _settles(statement: ast.stmt, future: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=settled, attr=method))):
            return method in SETTLES and dotted(settled) == future
    return False


def _came_settled(store: ast.AST, module: Module) -> bool:
    """Is a variable given what has its outcome when a function of this file returns it, or an attribute keeps it?"""
    made = module.value(store)
    if isinstance(made, ast.Attribute):
        return _keeps_settled(made, module)
    function = module.definition(made.func) if isinstance(made, ast.Call) else None
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return False
    returned = [node.value for node in module.returns(function)]
    return bool(returned) and all(
        isinstance(value, ast.Name) and _is_settled(value, value.id, module) for value in returned
    )


def _keeps_settled(attribute: ast.Attribute, module: Module) -> bool:
    """Does this file give an attribute of this name nothing but futures that have their outcome, and `None`?"""
    stores = (store for store in module.attributes(attribute.attr) if isinstance(store.ctx, ast.Store))
    given = [module.given(store) for store in stores]
    futures = [value for value in given if not (isinstance(value, ast.Constant) and value.value is None)]
    return bool(futures) and all(
        isinstance(value, ast.Name) and _is_settled(value, value.id, module) for value in futures
    )


def _has_said_so(call: ast.Call, thread: ast.expr, module: Module) -> bool:
    """Was something awaited that a thread, made in this function, was given to say that it is through?"""
    stores = module.bindings(thread) if isinstance(thread, ast.Name) else None
    made = [module.value(store) for store in stores or ()]
    given = {node.id for value in made if value is not None for node in ast.walk(value) if isinstance(node, ast.Name)}
    return any(
        isinstance(node, ast.Await) and isinstance(node.value, ast.Name) and node.value.id in given
        for node in _before(call, module)
    )


def _is_bounded(queue: ast.expr, module: Module) -> bool:
    """Is a queue surely made with a size, so that it may be full?"""
    stores = module.bindings(queue) if isinstance(queue, (ast.Name, ast.Attribute)) else None
    sizes = [_size(module.value(store)) for store in stores or ()]
    known = [size for size in sizes if size is not None]
    return bool(known) and not any(isinstance(size, ast.Constant) and not size.value for size in known)


def _size(made: ast.expr | None) -> ast.expr | None:
    return passed(MAXSIZE, made) if isinstance(made, ast.Call) else None


def reaches_a_disk(call: ast.Call, name: str, module: Module) -> bool:
    """Does a call that works on a file work on a real one, where nothing else speaks for it?"""
    if name in OPENS_EITHER:
        position, keyword = OPENS_EITHER[name]
        given = passed(Argument(position, keyword), call)
        if given is not None and module.type_of(given) in MEMORY | STREAMS:
            return False
    owner, _, method = name.rpartition(".")
    if owner == FILE or owner in OPENS_EITHER or owner == "tarfile.TarFile":
        return isinstance(call.func, ast.Attribute) and _is_worth_telling(call, call.func.value, method, module)
    return not _is_made_up(call) and not (name in OPENS and _do_threads_work_on_it(call, module))


def _do_threads_work_on_it(opened: ast.Call, module: Module) -> bool:
    """Is all that is done with a file left to threads, but for opening it?"""
    match module.parent(opened):
        case ast.withitem(optional_vars=ast.Name() as file) | ast.Assign(targets=[ast.Name() as file]):
            uses = [use for use in module.uses(file) if isinstance(use.ctx, ast.Load)]
            return bool(uses) and all(_is_left_to_a_thread(use, module) for use in uses)
    return False


def _is_left_to_a_thread(file: ast.Name, module: Module) -> bool:
    """Is this `to_thread(file.read)`, or `to_thread(json.load, file)`?"""
    around = module.parent(file)
    given, call = (around, module.parent(around)) if isinstance(around, ast.Attribute) else (file, around)
    return isinstance(call, ast.Call) and given in call.args and module.callee(call) in IN_THREADS


def _is_made_up(call: ast.Call) -> bool:
    """Is this about something that the kernel makes up: `open("/proc/stat")`, `Path("/proc/stat").read_text()`?"""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Call(args=[ast.Constant(value=str(path))]))):
            return path.startswith(NO_DISK)
        case ast.Call(args=[ast.Constant(value=str(path)), *_]):
            return path.startswith(NO_DISK)
        case ast.Call(args=[ast.Attribute(attr="devnull"), *_]):
            return True
    return False


def _is_worth_telling(call: ast.Call, handle: ast.expr, method: str, module: Module) -> bool:
    """Is this the first use of a file that another function has opened, or a loop that reads one piece by piece?

    For everything else that a function does with a file that it opens itself, the call that opens it speaks.
    """
    text = dotted(handle)
    stores = module.bindings(handle) if text and isinstance(handle, (ast.Name, ast.Attribute)) else None
    if not stores:
        return False
    home = module.function(call)
    own = [store for store in stores if module.function(store) is home and not _is_handed_over(store, module)]
    if own and (method not in READS_ON or not all(_is_read_on(call, store, module) for store in own)):
        return False
    return not any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and dotted(node.func.value) == text
        and (not own or (node.func.attr in READS_ON and all(_is_read_on(node, store, module) for store in own)))
        for node in _before(call, module)
    )


def _is_read_on(call: ast.Call, store: ast.AST, module: Module) -> bool:
    """Does a `while` read on and on from a file that was opened before it?"""
    around, opened = module.ancestors(call), _opening(store, module)
    loop = next((node for node in around if isinstance(node, (ast.While, *FUNCTIONS))), None)
    return (
        isinstance(loop, ast.While)
        and bool(call.args)
        and loop not in module.ancestors(store)
        and opened is not None
        and reaches_a_disk(opened, module.callee(opened) or "", module)
    )


def _opening(store: ast.AST, module: Module) -> ast.Call | None:
    """The call that opens what a variable stands for."""
    given = _given(store, module)
    return given if isinstance(given, ast.Call) else None


def _given(store: ast.AST, module: Module) -> ast.expr | None:
    """What a variable is given, or made of by the `with` that it stands in."""
    around = module.parent(store)
    value = module.value(store)
    return around.context_expr if value is None and isinstance(around, ast.withitem) else value


def _is_handed_over(store: ast.AST, module: Module) -> bool:
    """Is this file a parameter, or one that a thread has opened?"""
    return isinstance(store, ast.arg) or isinstance(module.value(store), ast.Await)


def passed(wanted: Argument, call: ast.Call) -> ast.expr | None:
    """The value that a call gives an argument; None: it gives none, or one that cannot be seen."""
    by_name = (keyword.value for keyword in call.keywords if keyword.arg == wanted.keyword and wanted.keyword)
    found = next(by_name, None)
    if found is not None or wanted.position < 0 or len(call.args) <= wanted.position:
        return found
    if any(isinstance(before, ast.Starred) for before in call.args[: wanted.position + 1]):
        return None
    return call.args[wanted.position]


def still_runs(call: ast.Call, name: str, module: Module) -> bool:
    """May the process that a call waits for still run, as far as the code around it tells?"""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    text = dotted(receiver) if receiver is not None and name.startswith("subprocess.Popen.") else ""
    if not text:
        return True
    came_from: ast.AST = call
    for around in module.ancestors(call):
        if isinstance(around, FUNCTIONS):
            break
        if isinstance(around, ast.If) and came_from is not around.test:
            then = any(part is came_from for part in around.body)
            if _has_ended(around.test, text, if_so=then):
                return False
        came_from = around
    loops = (node for node in _before(call, module) if isinstance(node, ast.While) and not any(exits(node)))
    return not any(_has_ended(loop.test, text, if_so=False) and call not in ast.walk(loop) for loop in loops)


def _has_ended(test: ast.expr, text: str, *, if_so: bool) -> bool:
    """Has a process ended, where a condition is true (or false)?"""
    match test:
        case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And if if_so else ast.Or):
            return any(_has_ended(value, text, if_so=if_so) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _has_ended(operand, text, if_so=not if_so)
        case ast.Compare(
            left=ast.Call(func=ast.Attribute(value=process, attr="poll"))
            | ast.Attribute(value=process, attr="returncode"),
            ops=[ast.Is() | ast.IsNot() as op],
            comparators=[ast.Constant(value=None)],
        ):
            return dotted(process) == text and isinstance(op, ast.IsNot if if_so else ast.Is)
    return False


def needs_the_network(call: ast.Call, name: str, module: Module) -> bool:
    """May a call that looks up a host have to ask others: does no condition around it say that it is a known one?"""
    host = passed(KNOWN_HOST, call) if name in RESOLVES else None
    text = dotted(host) if host is not None else ""
    came_from: ast.AST = call
    for around in module.ancestors(call) if text else ():
        if isinstance(around, FUNCTIONS):
            break
        if (
            isinstance(around, ast.If)
            and any(part is came_from for part in around.body)
            and _is_known_host(around.test, text)
        ):
            return False
        came_from = around
    return True


def _is_known_host(test: ast.expr, text: str) -> bool:
    """Is a host one that nobody is asked for, where a condition is true?"""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_is_known_host(value, text) for value in values)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
            return dotted(left) == text and value in KNOWN_HOST.values
    return False


def reaches_a_database(call: ast.Call, name: str, module: Module) -> bool:
    """May a call of a database's object have to wait: is it none that this file made in memory?"""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    return receiver is None or not name.startswith("sqlite3.") or not _is_in_memory(receiver, module, DEPTH)


def _is_in_memory(node: ast.AST, module: Module, depth: int) -> bool:
    """Is this a connection to a database in memory, or a cursor of one?"""
    match node:
        case ast.Call() if module.callee(node) == "sqlite3.connect":
            name = passed(IN_MEMORY, node)
            return isinstance(name, ast.Constant) and name.value in IN_MEMORY.values
        case ast.Call(args=[closed]) if depth and module.callee(node) == "contextlib.closing":
            return _is_in_memory(closed, module, depth - 1)
        case ast.Call(func=ast.Attribute(value=receiver)) if depth:
            return _is_in_memory(receiver, module, depth - 1)
        case ast.Name() | ast.Attribute() if depth:
            stores = [store for store in module.bindings(node) or () if not _only_says_what(store, module)]
            made = [_given(store, module) for store in stores]
            return bool(made) and all(one is not None and _is_in_memory(one, module, depth - 1) for one in made)
    return False


def _only_says_what(store: ast.AST, module: Module) -> bool:
    """Is this `x: T`, which gives nothing?"""
    around = module.parent(store)
    return isinstance(around, ast.AnnAssign) and around.value is None


# What else must be so, by the code of the rule, for a call of the table to block: asked with its qualified name.
CIRCUMSTANCES: dict[str, Callable[[ast.Call, str, Module], bool]] = {
    "AIO102": needs_the_network,
    "AIO103": still_runs,
    "AIO104": reaches_a_disk,
    "AIO106": reaches_a_database,
    "AIO108": waits,
}
