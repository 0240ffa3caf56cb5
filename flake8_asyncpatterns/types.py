"""What can be known of a thing, and how tables and other files say it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .facts import OWN, Told
from .knowledge.containers import ITERABLES, MAPPINGS, SEQUENCES, TUPLES
from .knowledge.names import same_type
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .classes import Classes
    from .module import Module

# Containers whose contents rules may ask for.
HOLDS = MAPPINGS | SEQUENCES | TUPLES | ITERABLES


class Type(NamedTuple):
    """What is known of a thing: the qualified name of its class, or its class in this file, or both.

    `name` of an instance of a class of this file is the one class from elsewhere that it inherits from. `item` is what
    iterating over it gives, `value` what a subscript does, `parts` what unpacking does.
    """

    name: str | None = None
    cls: ast.ClassDef | None = None
    item: Type | None = None
    value: Type | None = None
    parts: tuple[Type | None, ...] = ()


def instance(cls: ast.ClassDef, classes: Classes) -> Type:
    """What an instance of a class of the file is."""
    base = classes.foreign(cls)
    return Type(same_type(base) if base else None, cls)


def written(node: ast.expr) -> Type | None:
    """A type as tables write it: qualified names, and the names of built-in containers."""
    match node:
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=parts)):
            return Type("builtins.tuple", parts=tuple(written(part) for part in parts))
        case ast.Subscript(value=ast.Name(id=outer), slice=inner):
            item = written(inner)
            return Type(f"builtins.{outer}", item=item, value=item if outer == "list" else None)
        case ast.Name(id=name):
            return Type(f"builtins.{name}")
        case ast.Attribute():
            return Type(ast.unparse(node))
    return None


def tell(of: Type | None, module: Module) -> Told | None:
    """What is known of a thing, for other files: a class of this one goes by its name."""
    if of is None:
        return None
    own = of.cls is not None and module.parent(of.cls) is module.tree
    if of.cls is not None and not own:
        return None
    item, value = tell(of.item, module), tell(of.value, module)
    return Told(OWN + of.cls.name if of.cls else of.name, item, value, tuple(tell(part, module) for part in of.parts))


def heard(told: Told | None) -> Type | None:
    """What another file tells of a thing."""
    if told is None:
        return None
    return Type(told.name, None, heard(told.item), heard(told.value), tuple(map(heard, told.parts)))
