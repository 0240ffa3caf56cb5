"""Where a file keeps its background tasks, or is to keep them from now on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..module import Module
from ..rule import Edit, Fix, FunctionDef, Hole, Symbol, insert, replace
from ..scopes import COMPREHENSIONS, FUNCTIONS
from ..tuples import NamedTuple
from .callbacks import arguments
from .tasks import is_coroutine, makes_task

SET_NAMES = ("background_tasks", "_background_tasks", "kept_tasks", "_kept_tasks")
TASK_NAMES = ("task", "background_task", "kept_task", "_task", "_background_task")
COROUTINE_DECORATORS = frozenset({"asyncio.coroutine", "types.coroutine"})
DISCARDS = frozenset({"discard", "remove"})
IMPORTS = (ast.Import, ast.ImportFrom)
NO_PLACE = "there is no free name for a set that keeps it"


class Shelf(NamedTuple):
    """A set that holds tasks until they are done, as code spells it; `made` are the edits that make it first."""

    name: str
    made: tuple[Edit, ...] = ()

    def keep(self, task: str) -> str:
        """The template of the two statements that put a task there for as long as it runs."""
        return f"{self.name}.add({task})\n{task}.add_done_callback({self.name}.discard)"


class Keeping:
    """What one file has for keeping tasks: `module.analysis(Keeping)`."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._names: dict[str, list[ast.Name | ast.arg]] = {}
        for name in module.nodes(ast.Name):
            self._names.setdefault(name.id, []).append(name)
        for argument in module.nodes(ast.arg):
            self._names.setdefault(argument.arg, []).append(argument)
        self._shared: str | None = None
        self._own: dict[ast.ClassDef, str] = {}
        self._new: Shelf | None = None
        for call in module.nodes(ast.Call):
            match call:
                case ast.Call(
                    func=ast.Attribute(attr="add_done_callback"), args=[ast.Attribute(value=kept, attr=method)]
                ) if method in DISCARDS:
                    self._note(kept)

    def _note(self, kept: ast.expr) -> None:
        match kept:
            case ast.Name(id=identifier):
                stores = [n for n in self._names[identifier] if isinstance(n, ast.arg) or isinstance(n.ctx, ast.Store)]
                at_the_top = (
                    len(stores) == 1 and self.module.parent(self.module.statement(stores[0])) is self.module.tree
                )
                if at_the_top and self._is_set(stores[0]):
                    self._shared = identifier
            case ast.Attribute():
                stored = self.module.assignments(kept) or []
                owner = self.module.owner(kept)
                if owner is not None and len(stored) == 1 and self._is_set(stored[0]):
                    self._own[owner] = kept.attr

    def _is_set(self, target: ast.AST) -> bool:
        match self.module.value(target):
            case ast.Call(func=ast.Name(id="set")):
                return True
        return False

    def near(self, statement: ast.stmt) -> Shelf | None:
        """The set that code at this statement best uses; None: there is none, and none can be made."""
        function = self.module.function(statement)
        cls = self.module.class_of(function) if function is not None else None
        if cls in self._own and isinstance(function, FUNCTIONS) and function.args.args:
            static = isinstance(function, ast.Lambda) or any(map(self._may_be_static, function.decorator_list))
            if not static:
                return Shelf(f"{function.args.args[0].arg}.{self._own[cls]}")
        return Shelf(self._shared) if self._shared else self._made()

    def _may_be_static(self, decorator: ast.expr) -> bool:
        return self.module.name(decorator) not in COROUTINE_DECORATORS

    def _made(self) -> Shelf | None:
        """A new set for the whole file. All who need it share the edit that makes it: the first of them is mended
        in one round, and the others find the set in the next."""
        if self._new is None:
            free = (n for n in SET_NAMES if n not in self._names and not self.module.visible(n, self.module.tree))
            name, place = next(free, None), next(self._places(), None)
            if name is None or place is None:
                return None
            gap = "\n\n\n" if isinstance(place, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else "\n"
            made = insert(place, f"{name}: set[{{task}}] = set(){gap}", task=Symbol("asyncio.Task"))
            self._new = Shelf(name, (made,))
        return self._new

    def _places(self) -> Iterator[ast.stmt]:
        """The statements at the top level that are no docstring, no import, and no `__all__` or the like."""
        for number, statement in enumerate(self.module.tree.body):
            match statement:
                case ast.Expr(value=ast.Constant(value=str())) if number == 0:
                    pass
                case ast.Import() | ast.ImportFrom():
                    pass
                case ast.Assign(targets=[ast.Name(id=name)]) if name.startswith("__"):
                    pass
                case ast.If(body=body) | ast.Try(body=body) if any(isinstance(s, IMPORTS) for s in body):
                    pass
                case _:
                    yield statement

    def task_name(self, statement: ast.stmt) -> str | None:
        """A name for a task that code around this statement does not use for anything else."""
        return next((name for name in TASK_NAMES if self._is_free(name, statement)), None)

    def _is_free(self, name: str, statement: ast.stmt) -> bool:
        home = self.module.function(statement)
        return all(self._is_kept(n) for n in self._names.get(name, ()) if home is None or self._inside(n, home))

    def _inside(self, node: ast.AST, home: FunctionDef | ast.Lambda) -> bool:
        return self.module.function(node) is home or home in self.module.ancestors(node)

    def _is_kept(self, name: ast.Name | ast.arg) -> bool:
        """Does this name stand for a task that is made and kept by statements next to each other?"""
        if isinstance(name, ast.arg):
            return False
        statement = self.module.statement(name)
        block = self.module.block(statement)
        at = next(i for i, s in enumerate(block) if s is statement)
        for before in reversed(block[max(at - 3, 0) : at + 1]):
            match before:
                case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call() as value) if target == name.id:
                    return makes_task(value, self.module) is not None
                case ast.Expr(value=ast.Call(func=ast.Attribute(attr="add" | "add_done_callback"))):
                    continue
            break
        return False


def kept(call: ast.Call, statement: ast.stmt, how: str, unsafe: str, module: Module) -> Fix | str:
    """The fix of a statement that makes a task and drops it (see `tasks.Dropped`); or why there is none."""
    keeping = module.analysis(Keeping)
    shelf, task = keeping.near(statement), keeping.task_name(statement)
    if shelf is None or task is None:
        return NO_PLACE
    if isinstance(module.parent(statement), ast.ClassDef):
        return "it stands in the body of a class"
    lines = f"{task} = {{call}}\n{shelf.keep(task)}"
    holes: dict[str, Hole] = {"call": call}
    match how, statement:
        case "statement" | "name", ast.Expr() | ast.Assign() | ast.AnnAssign():
            pass
        case "chained", ast.Expr(value=ast.Call(func=ast.Attribute(attr=method)) as outer):
            given = arguments("a", outer.args, outer.keywords)
            lines += f"\n{task}.{method}({given.text})"
            holes |= given.holes
        case "condition", ast.Expr(value=ast.BoolOp(op=op, values=[condition, _])):
            test = "if {condition}:" if isinstance(op, ast.And) else "if not {condition}:"
            lines = "\n    ".join([test, *lines.split("\n")])
            holes["condition"] = condition
        case _:
            return "it stands inside of a larger expression"
    return Fix(*shelf.made, replace(statement, lines, **holes), unsafe=unsafe)


def hoisted(coroutine: ast.expr, unsafe: str, module: Module) -> Fix | str:
    """The fix that makes a kept task of a coroutine in front of the statement it stands in; or why there is none."""
    statement = module.statement(coroutine)
    keeping = module.analysis(Keeping)
    shelf, task = keeping.near(statement), keeping.task_name(statement)
    if shelf is None or task is None:
        return NO_PLACE
    if (
        not isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return))
        or module.function(statement) is None
    ):
        return "it is not certain that the task could be made before this statement"
    node: ast.AST = coroutine
    while node is not statement:
        around = module.parents[node]
        if isinstance(around, (ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr, *COMPREHENSIONS)):
            return "the task would be made also where it is not wanted"
        node = around
    code = ast.get_source_segment(module.text, coroutine)
    if code is None or "\n" in code or "#" in code:
        return "it takes more than one line: give the coroutine a name first"
    code = code.replace("{", "{{").replace("}", "}}")
    holes: dict[str, Hole] = {}
    if not (isinstance(coroutine, ast.Call) and makes_task(coroutine, module)):
        certain = is_coroutine(coroutine, module)
        holes["make"] = Symbol("asyncio.create_task" if certain else "asyncio.ensure_future")
        code = f"{{make}}({code})"
    first = insert(statement, f"{task} = {code}\n{shelf.keep(task)}", **holes)
    return Fix(*shelf.made, first, replace(coroutine, task), unsafe=unsafe)
