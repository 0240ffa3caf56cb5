"""Flags: variables and attributes that are switched between True and False, and the Event or Stop one may become.

A latch in the place of a flag is set exactly when the loops that test the flag are to end.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..knowledge.loops import PROTOCOLS
from ..rule import Edit, Remove, Replace, Symbol, replace
from ..tuples import NamedTuple
from .freenames import names_in

if TYPE_CHECKING:
    from ..module import Module

Use: TypeAlias = ast.Name | ast.Attribute

# They say nothing of attributes; other bases from elsewhere may use one of the same name.
PLAIN_BASES = PROTOCOLS | {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"}


class NotUnderstood(Exception):
    """Why a flag cannot become an Event; its text is for people."""


class Latch(NamedTuple):
    """What stands for a flag, and how code says so: `made` is its class, `set` the method that sets it.

    One that is `one_way` cannot be cleared, so that another takes its place; `noun` is what its name may end in.
    """

    made: str
    noun: str
    set: str = "set"
    one_way: bool = False


EVENT = Latch("asyncio.Event", "event")
STOP = Latch("asyncpatterns.Stop", "latch", one_way=True)


class Assignment(NamedTuple):
    """A statement that only gives a flag one of the two values."""

    statement: ast.Assign | ast.AnnAssign
    target: Use
    value: bool


def required(condition: ast.expr, outcome: bool) -> Iterator[tuple[Use, bool]]:
    """The flags, each with the value it must have, without which `condition` cannot come out as `outcome`.

    Of `x.is_set()` that is `x`, which may be an Event.
    """
    match condition:
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as event, attr="is_set"), args=[]):
            yield event, outcome
        case ast.Name() | ast.Attribute():
            yield condition, outcome
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from required(operand, not outcome)
        case ast.BoolOp(op=operator, values=values) if isinstance(operator, ast.And) is outcome:
            for value in values:
                yield from required(value, outcome)
        case ast.Compare(left=left, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=bool(value))]):
            yield from required(left, value is outcome)


class Flag(NamedTuple):
    """A variable, or an attribute of a class's instances, with every use that this file makes of it."""

    name: str
    uses: list[Use]
    declarations: list[ast.Global | ast.Nonlocal]
    classes: list[ast.ClassDef]  # of an attribute: those whose instances have it
    doubtful: list[ast.Attribute]  # attributes of the same name on things of an unknown kind

    def is_seen_outside(self, module: Module) -> bool:
        """May other files speak of it: is it an attribute, or a variable at the top of the file?"""
        return bool(self.classes) or any(isinstance(u.ctx, ast.Store) and not module.function(u) for u in self.uses)

    def assignments(self, module: Module) -> list[Assignment]:
        """Where it is plainly given True or False, in the file's order."""
        found = (_assignment(use, module) for use in self.uses if isinstance(use.ctx, ast.Store))
        return sorted(filter(None, found), key=lambda a: (a.statement.lineno, a.statement.col_offset))


def _assignment(target: Use, module: Module) -> Assignment | None:
    match statement := module.parent(target):
        case ast.Assign(targets=[_], value=ast.Constant(value=bool(value))):
            return Assignment(statement, target, value)
        case ast.AnnAssign(value=ast.Constant(value=bool(value))):
            return Assignment(statement, target, value)
    return None


def flag(use: Use, module: Module) -> Flag | None:
    """The flag that an expression stands for; None: it cannot be followed."""
    if isinstance(use, ast.Name):
        bindings = module.bindings(use)
        if not bindings or not all(isinstance(binding, ast.Name) for binding in bindings):
            return None
        return Flag(use.id, list(module.uses(use)), module.declarations(use), [], [])
    owner = instance_of(use, module)
    if owner is None:
        return None
    classes = relatives(owner, module)
    uses: list[Use] = []
    doubtful: list[ast.Attribute] = []
    for other in module.nodes(ast.Attribute):
        if other.attr == use.attr:
            its = instance_of(other, module)
            if its in classes:
                uses.append(other)
            elif its is None:
                doubtful.append(other)
    return Flag(use.attr, uses, [], classes, doubtful)


def instance_of(attribute: ast.Attribute, module: Module) -> ast.ClassDef | None:
    """The class of this file that `x` is an instance of in `x.flag`: `self`, or a variable made by one call."""
    owner = module.owner(attribute)
    if owner is not None or not isinstance(attribute.value, ast.Name):
        return owner
    match module.bindings(attribute.value):
        case [ast.Name() as only] if isinstance(made := module.value(only), ast.Call):
            named = module.definition(made.func)
            return named if isinstance(named, ast.ClassDef) else None
    return None


def relatives(cls: ast.ClassDef, module: Module) -> list[ast.ClassDef]:
    """A class with those of this file that it inherits from, and those that inherit from one of them."""
    ancestors = {base for base in module.bases(cls) if base is not None}
    return [other for other in module.nodes(ast.ClassDef) if ancestors.intersection(module.bases(other))]


class Conversion:
    """What turns one flag into an Event (or another latch), set when the flag would be `not going`.

    `event` is the Event's name. Raises NotUnderstood when a use of the flag has no translation.
    """

    def __init__(self, flag: Flag, event: str, module: Module, *, going: bool, latch: Latch = EVENT) -> None:
        self.flag = flag
        self.event = event
        self.module = module
        self.going = going
        self.latch = latch
        self._assigned = flag.assignments(module)
        self._first = self._creation()
        self._check()

    def edits(self) -> Iterator[Replace | Remove]:
        """The edits for all uses of the flag and the statements that declare it."""
        for assignment in self._assigned:
            yield self._assign(assignment)
        for use in self.flag.uses:
            if isinstance(use.ctx, ast.Load):
                yield self._read(use)
        made_in = {self.module.function(a.statement) for a in self._assigned if self._makes(a)}
        for statement in self.flag.declarations:
            others = [name for name in statement.names if name != self.flag.name]
            if self.module.function(statement) in made_in:
                others = [self.event if name == self.flag.name else name for name in statement.names]
            keyword = "global" if isinstance(statement, ast.Global) else "nonlocal"
            yield replace(statement, f"{keyword} {', '.join(others)}") if others else Remove(statement)

    def goes_back(self) -> bool:
        """Is the Event cleared somewhere, so that it may be so again by the time a waiter gets its turn?"""
        return any(a.value is self.going for a in self._assigned if a is not self._first)

    def spelled(self, use: Use) -> str:
        """The Event, as code says it that says `use` for the flag."""
        if isinstance(use, ast.Name):
            return self.event
        assert isinstance(use.value, ast.Name)  # what a flag's uses are like
        return f"{use.value.id}.{self.event}"

    def _makes(self, assignment: Assignment) -> bool:
        """Is a latch made here: the first one, or one in the place of one that cannot be cleared?"""
        return assignment is self._first or (self.latch.one_way and assignment.value is self.going)

    def _assign(self, assignment: Assignment) -> Replace:
        event = self.spelled(assignment.target)
        goes = assignment.value is self.going
        if not self._makes(assignment):
            return replace(assignment.statement, f"{event}.clear()" if goes else f"{event}.{self.latch.set}()")
        made = f"{event} = {{event}}()"
        # Where it is made nobody waits for it yet.
        return replace(assignment.statement, made if goes else f"{made}\n{event}.set()", event=Symbol(self.latch.made))

    def _read(self, use: Use) -> Replace:
        event = self.spelled(use)
        around = self.module.parent(use)
        negated = isinstance(around, ast.UnaryOp) and isinstance(around.op, ast.Not)
        node = around if isinstance(around, ast.UnaryOp) and negated else use
        return replace(node, f"not {event}.is_set()" if self.going is not negated else f"{event}.is_set()")

    def _creation(self) -> Assignment:
        """The assignment that makes the Event: it runs before every other use."""
        module = self.module
        if not self.flag.classes:
            homes = [a for a in self._assigned if not self._declared(a)]
            first = homes[0] if homes else None
            if first and module.parent(first.statement) in (module.function(first.statement), module.tree):
                scope = module.function(first.statement)
                earlier = [u for u in self.flag.uses if module.function(u) is scope and u.lineno < first.target.lineno]
                if not earlier:
                    return first
            raise NotUnderstood(f"where `{self.flag.name}` gets its first value is not certain")
        inits = [a for a in self._assigned if self._initial(a)]
        if not inits or not all(self._covers(inits[0], cls) for cls in self._users()):
            raise NotUnderstood(f"`{self.flag.name}` does not get its first value in `__init__`")
        return inits[0]

    def _declared(self, assignment: Assignment) -> bool:
        scope = self.module.function(assignment.statement)
        return any(self.module.function(statement) is scope for statement in self.flag.declarations)

    def _initial(self, assignment: Assignment) -> bool:
        function = self.module.function(assignment.statement)
        return (
            isinstance(function, ast.FunctionDef)
            and function.name == "__init__"
            and self.module.parent(assignment.statement) is function
        )

    def _covers(self, assignment: Assignment, cls: ast.ClassDef) -> bool:
        function = self.module.function(assignment.statement)
        assert function is not None
        return self.module.class_of(function) in self.module.bases(cls)

    def _users(self) -> set[ast.ClassDef]:
        owners = (instance_of(use, self.module) for use in self.flag.uses if isinstance(use, ast.Attribute))
        return {owner for owner in owners if owner is not None}

    def _of_class(self, use: ast.Attribute) -> bool:
        """Is this `cls.flag` in a class method?"""
        match self.module.bindings(use.value) if isinstance(use.value, ast.Name) else None:
            case [ast.arg() as first]:
                function = self.module.parent(self.module.parents[first])
                decorators = getattr(function, "decorator_list", ())
                return any(self.module.name(decorator) == "builtins.classmethod" for decorator in decorators)
        return False

    def _check(self) -> None:
        flag, module = self.flag, self.module
        understood = {assignment.target for assignment in self._assigned}
        for use in flag.uses:
            if not isinstance(use.ctx, ast.Load) and use not in understood:
                raise NotUnderstood(f"line {use.lineno} does something else to `{flag.name}` than set it True or False")
            if isinstance(use, ast.Attribute) and self._of_class(use):
                raise NotUnderstood(f"`{ast.unparse(use)}` in line {use.lineno} is the class's, not an instance's")
        for other in flag.doubtful:
            raise NotUnderstood(f"`{ast.unparse(other)}` in line {other.lineno} may be the same flag")
        for cls in self._users():
            for base in foreign_bases(cls, module):
                raise NotUnderstood(f"`{ast.unparse(base)}`, which is not in this file, may use the flag as well")
        for cls in flag.classes:
            if any(flag.name == name for statement in cls.body for name in _bound(statement)):
                raise NotUnderstood(f"in the body of `{cls.name}`, one Event would serve all instances")
        for constant in module.nodes(ast.Constant):
            if constant.value == flag.name and isinstance(constant.value, str):
                raise NotUnderstood(f"a string in line {constant.lineno} may speak of the flag")
        if module.project is not None and flag.is_seen_outside(module):
            speaker = module.project.speaker(flag.name)
            if speaker is not None:
                raise NotUnderstood(f"`{speaker}` may use `{flag.name}`, too")


def foreign_bases(cls: ast.ClassDef, module: Module) -> Iterator[ast.expr]:
    """The bases of a class that other files define, and that may have attributes."""
    for base in {b for c in module.bases(cls) if c for b in c.bases}:
        known = module.name(base.value if isinstance(base, ast.Subscript) else base) in PLAIN_BASES
        if not known and not isinstance(module.definition(base), ast.ClassDef):
            yield base


def event_to_stop(flag: Flag, latch: Latch, module: Module) -> list[Edit] | None:
    """What makes a Stop of a flag that is an Event already; None: it does something that a Stop does not."""
    foreign = (base for cls in flag.classes for base in foreign_bases(cls, module))
    if flag.doubtful or any(True for _ in foreign):
        return None
    found = [_stop_use(use, latch, module) for use in flag.uses]
    edits = [edits for edits in found if edits is not None]
    return [edit for some in edits for edit in some] if len(edits) == len(found) else None


def _stop_use(use: Use, latch: Latch, module: Module) -> list[Edit] | None:
    around = module.parent(use)
    match around:
        case ast.Assign(targets=[_], value=ast.Call() as made) | ast.AnnAssign(value=ast.Call() as made):
            if module.callee(made) != EVENT.made or made.args or made.keywords:
                return None
            named = [made.func, *([around.annotation] if isinstance(around, ast.AnnAssign) else [])]
            if any(module.name(name) != EVENT.made for name in named):
                return None
            return [replace(name, "{stop}", stop=Symbol(latch.made)) for name in named]
        case ast.Attribute(attr="is_set"):
            return []
        case ast.Attribute(attr="set"):
            return [] if latch.set == "set" else [replace(around, f"{{event}}.{latch.set}", event=use)]
        case ast.Attribute(attr="wait"):
            awaited = module.parent(module.parent(around) or around)
            return [] if isinstance(awaited, ast.Await) and isinstance(module.parent(awaited), ast.Expr) else None
    return None


def _bound(statement: ast.stmt) -> Iterator[str]:
    """What a statement of a class body binds, apart from methods."""
    match statement:
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def identifiers(module: Module) -> set[str]:
    """Every name that this file gives a meaning to, or asks for."""
    return names_in(module.tree) | {node.attr for node in module.nodes(ast.Attribute)}
