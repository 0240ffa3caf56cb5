"""Where the nodes of a module lie in its text.

`ast` counts columns in UTF-8 bytes, so the text is taken as bytes here, and every span is exact.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .edits import Refused

if TYPE_CHECKING:
    from .module import Module

NEWLINE = re.compile(rb"\r\n|\r|\n")
BLANK = b" \t\f"
COOKIE = re.compile(rb"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*[-\w.]+")
BETWEEN = re.compile(rb"(?:[ \t\f\r\n\\]|#[^\r\n]*)*")
SPACES = b" \t\f\r\n\\"


class Text:
    """A module's text as bytes, and where its nodes lie in them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.data = module.text.encode()
        self.starts = [0, *(found.end() for found in NEWLINE.finditer(self.data))]
        # The one that most lines have: the first may be of another kind, put in front by some tool.
        pairs = self.data.count(b"\r\n")
        kinds = {b"\n": self.data.count(b"\n") - pairs, b"\r\n": pairs, b"\r": self.data.count(b"\r") - pairs}
        self.newline = max(kinds, key=kinds.__getitem__)
        self._comments: list[tuple[int, int]] | None = None
        self._unit: bytes | None = None

    def start(self, node: ast.AST) -> int:
        """Where a node begins; a decorated definition at its first `@`."""
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            return self.data.rindex(b"@", 0, self.at(decorators[0]))
        return self.at(node)

    def at(self, node: ast.AST) -> int:
        """Where a node's own line and column point to."""
        return self.starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined, no-any-return]  # placed nodes only

    def end(self, node: ast.AST) -> int:
        """Where a node ends."""
        return self.starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined, no-any-return]  # placed nodes only

    def line_start(self, offset: int) -> int:
        """The start of the line that an offset lies in."""
        return self.starts[bisect_left(self.starts, offset + 1) - 1]

    def line_end(self, offset: int) -> int:
        """The end of the line, before its newline."""
        found = NEWLINE.search(self.data, offset)
        return found.start() if found else len(self.data)

    def next_line(self, offset: int) -> int:
        """The start of the line after the one that an offset lies in."""
        found = NEWLINE.search(self.data, offset)
        return found.end() if found else len(self.data)

    def indent(self, statement: ast.AST) -> bytes:
        """The white space in front of the line that a statement begins on."""
        return self.margin(self.start(statement))

    def margin(self, at: int) -> bytes:
        """The white space in front of the line that this byte stands in."""
        found = re.compile(rb"[ \t\f]*").match(self.data, self.line_start(at))
        assert found
        return found[0]

    @property
    def unit(self) -> bytes:
        """What one more level of indentation looks like in this file."""
        if self._unit is None:
            self._unit = next(self._units(), b"    ")
        return self._unit

    def _units(self) -> Iterator[bytes]:
        for node in self.module.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.With, ast.For):
            outer, inner = self.indent(node), self.indent(node.body[0])
            if self.first_on_line(node.body[0]) and inner.startswith(outer) and inner != outer:
                yield inner[len(outer) :]

    def comments(self) -> list[tuple[int, int]]:
        """The spans of the file's comments."""
        if self._comments is None:
            text = NEWLINE.sub(b"\n", self.data).decode()
            lines = text.split("\n")
            self._comments = []
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT:
                    row, column = token.start
                    start = self.starts[row - 1] + len(lines[row - 1][:column].encode())
                    self._comments.append((start, start + len(token.string.encode())))
        return self._comments

    def own(self, statement: ast.stmt) -> ast.stmt:
        """The statement itself. Refuses an `elif`, which `ast` calls a statement and which is none on paper."""
        if isinstance(statement, ast.If) and self.data.startswith(b"elif", self.at(statement)):
            raise Refused("an `elif` is no statement of its own")
        return statement

    def first_on_line(self, statement: ast.stmt) -> bool:
        """Is there nothing but white space in front of a statement on its line?"""
        start = self.start(statement)
        line = self.line_start(start)
        return not self.data[line:start].strip(BLANK) and not self.is_continued(line)

    def is_continued(self, line: int) -> bool:
        """Does the line before the one that begins here end with a backslash that joins the two?"""
        before = self.data[:line].removesuffix(b"\n").removesuffix(b"\r")
        return before.endswith(b"\\") and not any(end == len(before) for _, end in self.comments())

    def last_on_line(self, statement: ast.stmt) -> bool:
        """Is there nothing but a comment behind a statement on its last line?"""
        end = self.end(statement)
        rest = self.data[end : self.line_end(end)].strip(BLANK)
        return not rest or rest.startswith(b"#")

    def leading(self, statement: ast.stmt) -> int:
        """The start of the line at which the comment lines right above a statement begin."""
        line = self.line_start(self.start(statement))
        while line:
            above = self.line_start(line - 1)
            if self.data[line - 2 : line] == b"\r\n":
                above = self.line_start(line - 2)
            if not self.data[above:line].lstrip(BLANK).startswith(b"#") or self._is_head(above):
                break
            line = above
        return line

    def _is_head(self, line: int) -> bool:
        """Does a comment line speak to the system, or to Python of the encoding? It must stay where it is."""
        return (line == 0 and self.data.startswith(b"#!")) or (
            line in self.starts[:2] and bool(COOKIE.match(self.data, line))
        )

    def parentheses(self, node: ast.expr) -> tuple[int, int] | None:
        """The span of an expression with the parentheses right around it, if it has its own."""
        found = BETWEEN.match(self.data, self.end(node))
        assert found
        right = found.end()
        if self.data[right : right + 1] != b")":
            return None
        left = self._last_before(self.at(node))
        if left < 0 or self.data[left : left + 1] != b"(":
            return None
        match self.module.parent(node):
            case ast.Call() as call if right == self.end(call) - 1:
                return None  # the call's own
            case ast.ClassDef():
                return None
        return left, right + 1

    def _last_before(self, at: int) -> int:
        """Where the last byte of code in front of this one lies, past white space and comments; -1: there is none."""
        while True:
            last = len(self.data[:at].rstrip(SPACES)) - 1
            # Only where a line ends can it be the end of a comment.
            around = bisect_left(self.comments(), (last + 1,)) if NEWLINE.search(self.data, last + 1, at) else 0
            if not around or last >= self.comments()[around - 1][1]:
                return last
            at = self.comments()[around - 1][0]
