"""Functions that connect functions by hand: what `asyncpatterns.connect(*functions)` does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..source import lines
from ..tuples import NamedTuple

if TYPE_CHECKING:
    from ..module import Module


class Composition(NamedTuple):
    """A generator inside of a function, and the statement right behind it that returns it.

    The generator hands what it is called with to the first of the `functions` (a parameter of the function around it),
    and each result to the next.
    """

    generator: ast.FunctionDef
    returned: ast.Return
    functions: ast.Name


def composition(generator: ast.FunctionDef, module: Module) -> Composition | None:
    """The composition that a generator is the heart of; None: it does something else, or has words of its own."""
    returned = _returned(generator, module)
    functions = _functions(generator)
    if returned is None or functions is None or generator.decorator_list:
        return None
    outer = module.function(generator)
    parameters = [*outer.args.posonlyargs, *outer.args.args, outer.args.vararg] if outer else []
    match module.bindings(functions):
        case [ast.arg() as parameter] if parameter in parameters:
            pass
        case _:
            return None
    text = lines(module.text)[generator.lineno - 1 : returned.end_lineno]
    return None if any("#" in line for line in text) else Composition(generator, returned, functions)


def _returned(generator: ast.FunctionDef, module: Module) -> ast.Return | None:
    """The `return generator` right behind it, if nothing else speaks of it."""
    block = module.block(generator)
    if not isinstance(module.function(generator), ast.FunctionDef) or block[-1] is generator:
        return None
    match block[block.index(generator) + 1]:
        case ast.Return(value=ast.Name() as name) as returned:
            mine = [use for use in module.spelled(generator.name) if module.definition(use) is generator]
            return returned if mine == [name] else None
    return None


def _functions(generator: ast.FunctionDef) -> ast.Name | None:
    """The functions that a generator calls one after the other; None: it does not do that, or more than that."""
    steps, first, rest = generator.body, "", ""
    functions: ast.Name | None = None
    match steps:
        case [
            ast.Assign(
                targets=[ast.Tuple(elts=[ast.Name(id=first), ast.Starred(value=ast.Name(id=rest))])],
                value=ast.Name() as functions,
            ),
            *steps,
        ]:
            pass
    match steps:
        case [
            ast.Assign(targets=[ast.Name(id=result)], value=ast.YieldFrom(value=ast.Call() as begun)),
            ast.For(
                target=ast.Name(id=function),
                iter=others,
                body=[
                    ast.Assign(
                        targets=[ast.Name(id=kept)],
                        value=ast.YieldFrom(
                            value=ast.Call(func=ast.Name(id=called), args=[ast.Name(id=given)], keywords=[])
                        ),
                    )
                ],
                orelse=[],
            ),
            ast.Return(value=ast.Name(id=gives)),
        ] if kept == given == gives == result != function == called and _hands_on(begun, generator.args):
            pass
        case _:
            return None
    match begun.func, others:
        case ast.Name(id=name), ast.Name(id=other) if functions and (name, other) == (first, rest):
            return functions
        case (
            ast.Subscript(value=ast.Name() as one, slice=ast.Constant(value=0)),
            ast.Subscript(
                value=ast.Name() as same, slice=ast.Slice(lower=ast.Constant(value=1), upper=None, step=None)
            ),
        ) if functions is None and one.id == same.id:
            return one
    return None


def _hands_on(call: ast.Call, parameters: ast.arguments) -> bool:
    """Does a function hand exactly what it was called with on to another?"""
    positional = [*parameters.posonlyargs, *parameters.args]
    wanted = [f"{p.arg}" for p in positional] + ([f"*{parameters.vararg.arg}"] if parameters.vararg else [])
    wanted += [f"**{parameters.kwarg.arg}"] if parameters.kwarg else []
    given = [ast.unparse(argument) for argument in call.args]
    given += [f"**{ast.unparse(k.value)}" if k.arg is None else "=" for k in call.keywords]
    return bool(wanted) and given == wanted and not parameters.kwonlyargs and not parameters.defaults
