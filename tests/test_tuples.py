"""Our NamedTuple against that of `typing`, with the same body."""

from __future__ import annotations

import pickle
import typing
from typing import Any

import pytest

from flake8_asyncpatterns import tuples

BODY = '''
from __future__ import annotations

class Point(NamedTuple):
    """A place."""

    x: int
    y: NotYetDefined[int]
    name: str = "here"

    @property
    def sum(self) -> int:
        return self.x + self.y

    @classmethod
    def zero(cls) -> Point:
        return cls(0, 0)

    def __str__(self) -> str:
        return f"{self.name}: {self.sum}"
'''


class Pair(tuples.NamedTuple):
    one: int
    other: Pair | None = None


def made_with(named_tuple: Any) -> Any:
    scope: dict[str, Any] = {"NamedTuple": named_tuple, "__name__": "somewhere"}
    exec(BODY, scope)
    return scope["Point"]


def seen(cls: Any) -> list[object]:
    point = cls(1, y=2)
    return [
        *(cls.__name__, cls.__qualname__, cls.__module__, cls.__doc__, cls.__mro__[1:], cls.__slots__),
        *(cls._fields, cls._field_defaults, cls.__match_args__, [*cls.__annotations__], type(cls)),
        *(point, repr(point), str(point), point.sum, cls.zero(), cls.zero().name, point._replace(x=5), point._asdict()),
    ]


def test_a_class_is_what_typing_makes_of_it() -> None:
    ours, theirs = made_with(tuples.NamedTuple), made_with(typing.NamedTuple)
    assert seen(ours) == seen(theirs)
    for arguments in ((), (1,), (1, 2, 3, 4)):
        for cls in (ours, theirs):
            with pytest.raises(TypeError, match="argument"):
                cls(*arguments)


def test_an_object_can_be_pickled() -> None:
    pair = Pair(1, Pair(2))
    found = pickle.loads(pickle.dumps(pair))
    assert found == pair
    assert isinstance(found.other, Pair)


def test_a_class_may_have_subclasses() -> None:
    class Named(Pair):
        name = "it"

    assert Named(3)._replace(one=4) == (4, None)
    assert isinstance(Named(3)._replace(one=4), Named)
