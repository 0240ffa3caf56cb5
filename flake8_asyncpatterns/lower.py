"""An edit → splices: which bytes of the file it takes away, and what comes in their place.

What cannot be written without harm is refused with a reason: a comment that would be lost, a statement that shares
its line with another, code whose place in the text is not certain.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .edits import AddImports, AnyEdit, Refused, RemoveAlias, Spell, hole_name, holes, in_call, pieces, skeleton
from .places import BLANK, NEWLINE, Text
from .precedence import OPERAND, PRIMARY, binds, field_of, needs
from .proof import difference
from .rule import (
    CatchExceptions,
    Insert,
    MakeAsync,
    MakeSync,
    Remove,
    RemoveArgument,
    RemoveDecorator,
    Replace,
    ReplaceArgument,
    Symbol,
)
from .splice import Slot, Splice

if TYPE_CHECKING:
    from .rule import Hole

COMMA = re.compile(rb"[ \t\f]*,?[ \t\f]*")
COMMA_AFTER_COMMENTS = re.compile(rb"(?:[ \t\f\r\n]|#[^\r\n]*)*,")
SEMICOLON = re.compile(rb"[ \t\f]*;[ \t\f]*")


def lower(
    edit: AnyEdit, text: Text, spell: Spell, removed: frozenset[ast.stmt], kin: frozenset[ast.AST] = frozenset()
) -> list[Splice]:
    """The splices of one edit. `removed` are all statements that this run takes out, `kin` the nodes that other edits
    of the same fix change. Raises Refused."""
    match edit:
        case Replace(node=node):
            if isinstance(node, ast.expr):
                return [_replace_expression(edit, node, text, spell)]
            return [_replace_statement(edit, node, text, spell)]
        case ReplaceArgument():
            return [_replace_argument(edit, text, spell)]
        case RemoveArgument():
            return [_remove_argument(edit.node, text)]
        case Insert():
            return [_insert(edit, text, spell)]
        case Remove():
            return [_remove(edit.node, text, removed, kin)]
        case RemoveDecorator(decorator=decorator):
            return [_remove_lines(text.data.rindex(b"@", 0, text.at(decorator)), text.end(decorator), text)]
        case MakeAsync(node=node):
            at = text.at(node)
            # Not just put in, so that whatever is put in front of the statement comes before it.
            return [Splice(at, at + 1, (b"async " + text.data[at : at + 1],))]
        case MakeSync(node=node):
            found = re.compile(rb"async[ \t\f]+").match(text.data, text.at(node))
            if not found:
                raise Refused("`async` and what follows are not on one line")
            return [Splice(found.start(), found.end(), ())]
        case CatchExceptions(node=node):
            at = text.at(node) + len("except")
            return [Splice(at, at, (b" Exception",))]
        case AddImports():
            return [_add_imports(edit, text)]
        case RemoveAlias(node=node, alias=alias):
            return [_remove_alias(node, alias, text)]


def _replace_expression(edit: Replace, node: ast.expr, text: Text, spell: Spell) -> Splice:
    _placed(node, text)
    template = skeleton(edit.template)
    if len(template) != 1 or not isinstance(template[0], ast.Expr):
        raise ValueError(f"not an expression: {edit.template!r}")
    made: ast.AST = template[0].value
    if isinstance(made, ast.Name) and (hole := edit.holes.get(hole_name(made))):
        made = hole if isinstance(hole, ast.AST) else made
    start, end = text.at(node), text.end(node)
    parent = text.module.parent(node)
    required, own = needs(parent, field_of(node, parent)), text.parentheses(node)
    before = after = b""
    bare = isinstance(made, ast.Tuple) and made is template[0].value and not edit.template.startswith("(")
    # In an f-string, `{{` is a brace of its text.
    brace = edit.template.startswith("{{") and any(isinstance(a, ast.JoinedStr) for a in text.module.ancestors(node))
    if (own is None and binds(made) < required) or bare or brace or _shares_parentheses(node, parent, text):
        before, after = b"(", b")"
    elif (
        own is not None
        and isinstance(node, (ast.Yield, ast.YieldFrom))
        and binds(made) >= max(required, OPERAND)
        and not NEWLINE.search(text.data, *own)
        and not _touches_a_word(text.data, *own)
    ):
        start, end = own  # they were there because a yield needs them
    parts = (before, *_fill(edit.template, edit.holes, node, text, spell, text.indent(node)), after)
    return _checked(Splice(start, end, parts), text)


def _shares_parentheses(node: ast.expr, parent: ast.AST | None, text: Text) -> bool:
    """Is this the generator expression of `f(x for x in y)`, whose parentheses are the call's as well?"""
    return isinstance(node, ast.GeneratorExp) and isinstance(parent, ast.Call) and text.end(node) == text.end(parent)


def _replace_argument(edit: ReplaceArgument, text: Text, spell: Spell) -> Splice:
    value = edit.node.value if isinstance(edit.node, ast.keyword) else edit.node
    _placed(value, text)
    # Parentheses around one argument would make a tuple of several.
    own = text.parentheses(edit.node) if isinstance(edit.node, ast.expr) else None
    start, end = own or (text.at(edit.node), text.end(edit.node))
    _in_order(edit, text)
    places = holes(in_call(edit.template))
    parts = _fill(edit.template, edit.holes, edit.node, text, spell, text.margin(start), places)
    if _shares_parentheses(value, text.module.parent(edit.node), text):
        parts = [b"(", *parts, b")"]
    return _checked(Splice(start, end, tuple(_with_comments(parts, start, text))), text)


def _remove_argument(node: ast.expr | ast.keyword, text: Text) -> Splice:
    call = text.module.parent(node)
    assert isinstance(call, ast.Call)
    arguments = sorted(_argument(argument, text) for argument in (*call.args, *call.keywords))
    start, end = _argument(node, text)
    index = arguments.index((start, end))
    if index + 1 < len(arguments):
        first, last = start, arguments[index + 1][0]
    elif index:
        first, last = arguments[index - 1][1], end
    else:
        first, last = len(text.data[:start].rstrip(b" \t\f\r\n")), text.end(call) - 1
    comment_in_front = len(arguments) == 1 and text.data[first - 1 : first] != b"("
    if not comment_in_front and not _comments(text, first, last):
        return Splice(first, last, ())
    # What is on lines of its own can go without the comments around it.
    found = COMMA.match(text.data, end)
    assert found
    if COMMA_AFTER_COMMENTS.match(text.data, found.end()):
        raise Refused("a comment stands between an argument and its comma")
    return _remove_lines(start, found.end(), text)


def _argument(node: ast.AST, text: Text) -> tuple[int, int]:
    """The span of an argument, with the parentheses around it."""
    own = text.parentheses(node) if isinstance(node, ast.expr) else None
    return own or (text.at(node), text.end(node))


def _in_order(edit: ReplaceArgument, text: Text) -> None:
    """Refuse to write a positional argument behind one with a keyword."""
    [statement] = skeleton(in_call(edit.template))
    call = text.module.parent(edit.node)
    assert isinstance(call, ast.Call)
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    at = text.at(edit.node)
    behind = any(text.at(a) > at for a in call.args)
    before = any(text.at(k) < at for k in call.keywords)
    if (statement.value.keywords and behind) or (statement.value.args and before):
        raise Refused("a positional argument cannot follow one with a keyword")


def _with_comments(parts: list[bytes | Slot], start: int, text: Text) -> Iterator[bytes | Slot]:
    """The parts of a list of arguments that begins at `start`; a comment between two of them stays there."""
    indent = text.margin(start)
    for before, part, after in zip([b"", *parts], parts, [*parts[1:], b""], strict=False):
        yield part
        if isinstance(before, Slot) and isinstance(after, Slot) and part == b", ":
            for number, comment in enumerate(_comments(text, before.end, after.start)):
                yield from (b"" if number else b" ", Slot(*comment), text.newline, indent)


def _touches_a_word(data: bytes, start: int, end: int) -> bool:
    before, after = data[max(start - 1, 0) : start], data[end : end + 1]
    return any(byte.isalnum() or byte == b"_" or byte > b"\x7f" for byte in (before, after))


def _placed(node: ast.expr, text: Text) -> None:
    """Refuse patterns, and code in an f-string where its place is not certain or its text is a part of the string."""
    inside = isinstance(text.module.parent(node), ast.JoinedStr) or (
        isinstance(node, ast.JoinedStr) and isinstance(text.module.parent(node), ast.FormattedValue)
    )
    if inside:
        raise Refused("the text of an f-string is no code")
    if any(isinstance(around, ast.pattern) for around in text.module.ancestors(node)):
        raise Refused("a pattern of `case` takes no other code")
    if not any(isinstance(around, ast.JoinedStr) for around in text.module.ancestors(node)):
        return
    if sys.version_info < (3, 12):
        try:
            found = ast.parse(text.data[text.at(node) : text.end(node)].decode(), mode="eval").body
        except (SyntaxError, UnicodeDecodeError):
            found = None
        if found is None or difference(node, found):
            raise Refused("before Python 3.12, the place of code inside an f-string is not known")
    for field in text.module.ancestors(node):
        if isinstance(field, ast.FormattedValue):
            rest = text.data[text.end(field.value) :].lstrip(b" )\t\r\n\f")
            if rest.startswith(b"="):
                raise Refused("it would change the text of a self-documenting f-string (`{…=}`)")


def _replace_statement(edit: Replace, statement: ast.stmt, text: Text, spell: Spell) -> Splice:
    template = edit.template.rstrip("\n")
    if "\n" in template and not (text.first_on_line(statement) and text.last_on_line(statement)):
        return _replace_body(edit, statement, text, spell)
    parts = _fill(template, edit.holes, text.own(statement), text, spell, text.indent(statement))
    start, (_, first) = text.start(statement), next(pieces(template), ("", None))
    if template.startswith("{") and first and isinstance(edit.holes[first], list):
        if not (text.first_on_line(statement) and text.last_on_line(statement)):
            raise Refused("the statement shares its line with another")
        block = next(part for part in parts if isinstance(part, Slot))
        # A block brings its indentation along, and the statement itself the comments above it.
        start = min(text.line_start(start), block.start)
    end = text.end(statement)
    return _checked(Splice(start, *_comment_behind(end, parts, text)), text)


def _comment_behind(end: int, parts: list[bytes | Slot], text: Text) -> tuple[int, tuple[bytes | Slot, ...]]:
    """The end and the parts of a splice where a comment behind it stays behind the code it was behind."""
    comment = text.data[end : text.line_end(end)].strip(BLANK)
    if comment.startswith(b"#") and isinstance(block := parts[-1], Slot) and block.indents and block.end < end:
        raise Refused("a comment on it would come to speak of another statement")  # on what is left of `try`, say
    last = max((number for number, part in enumerate(parts) if isinstance(part, Slot)), default=len(parts))
    for number, part in enumerate(parts[last + 1 :], last + 1) if comment.startswith(b"#") else ():
        assert isinstance(part, bytes)
        line, newline, rest = part.partition(text.newline)
        if newline:
            [kept] = _comments(text, end, text.line_end(end))
            return kept[1], (*parts[:number], line, b"  ", Slot(*kept), newline + rest, *parts[number + 1 :])
    return end, tuple(parts)


def _insert(edit: Insert, text: Text, spell: Spell) -> Splice:
    template, statement = edit.template.rstrip("\n"), text.own(edit.before)
    gap = max(len(edit.template) - len(template) - 1, 0)
    if not text.first_on_line(statement):
        at = text.start(statement)
        if "\n" in template or not all(isinstance(s, (ast.Expr, ast.Assign, ast.Pass)) for s in skeleton(template)):
            return _open_up(edit, at, text, spell)
        return Splice(at, at, (*_fill(template, edit.holes, statement, text, spell, b""), b"; "))
    indent, at = text.indent(statement), text.leading(statement)
    lines = _fill(template, edit.holes, statement, text, spell, indent)
    return Splice(at, at, (indent, *lines, text.newline, text.newline * gap))


def _replace_body(edit: Replace, statement: ast.stmt, text: Text, spell: Spell) -> Splice:
    """Put statements in the place of the only one in `if x: statement`, on lines of their own."""
    header = text.module.parent(statement)
    alone = len(text.module.block(statement)) == 1 and text.last_on_line(statement)
    if not alone or not isinstance(header, ast.stmt) or not text.first_on_line(header):
        raise Refused("the statement shares its line with another")
    indent = text.indent(header) + text.unit
    before = text.data[: text.start(statement)].rstrip(BLANK)
    new = _fill(edit.template.rstrip("\n"), edit.holes, statement, text, spell, indent)
    end, parts = _comment_behind(text.end(statement), new, text)
    return _checked(Splice(len(before), end, (text.newline, indent, *parts)), text)


def _open_up(edit: Insert, at: int, text: Text, spell: Spell) -> Splice:
    """Put statements in front of the body of `for x in y: body`, which moves to a line of its own for that."""
    header = text.module.parent(edit.before)
    block = text.module.block(edit.before)
    if edit.before is not block[0] or not isinstance(header, ast.stmt) or not text.first_on_line(header):
        raise Refused("the statement shares its line with another")
    indent = text.indent(header) + text.unit
    before = text.data[: text.at(edit.before)].rstrip(BLANK)
    new = _fill(edit.template.rstrip("\n"), edit.holes, edit.before, text, spell, indent)
    return Splice(len(before), at, (text.newline, indent, *new, text.newline, indent))


def _remove(statement: ast.stmt, text: Text, removed: frozenset[ast.stmt], kin: frozenset[ast.AST]) -> Splice:
    block = text.module.block(text.own(statement))
    start, end = text.start(statement), text.end(statement)
    if (
        statement is block[0]
        and all(other in removed for other in block)
        and text.module.parent(statement) is not text.module.tree
    ):
        return _checked(Splice(start, end, (b"pass",)), text)
    if _is_commented(statement, block, text, removed, kin):
        raise Refused("a comment on it would come to speak of another statement")
    if not (text.first_on_line(statement) and text.last_on_line(statement)):
        return _remove_from_line(block, statement, text)
    splice = _remove_lines(start, end, text)
    if not splice.parts:
        return Splice(splice.start, _without_double_gap(splice, text), ())
    return splice


def _is_commented(
    statement: ast.stmt, block: list[ast.stmt], text: Text, removed: frozenset[ast.stmt], kin: frozenset[ast.AST]
) -> bool:
    """Would a comment right behind a statement, or right above it, come to speak of another one in its block?"""
    if not text.first_on_line(statement):
        return False  # one behind several statements speaks of what is left of them, too
    end = text.end(statement)
    behind = text.data[end : text.line_end(end)].strip(BLANK).startswith(b"#")
    if not behind and text.leading(statement) == text.line_start(text.start(statement)):
        return False
    other = next((other for other in block[block.index(statement) + 1 :] if other not in removed), None)
    if other is None or not text.data[text.next_line(end) : text.line_end(text.next_line(end))].strip(BLANK):
        return False  # it stands at the end, or alone
    if any(other is node or other in text.module.ancestors(node) for node in kin):
        return False  # one fix makes one thing of both
    # One above several imports is the heading of them all.
    imports = (ast.Import, ast.ImportFrom)
    return behind or not (isinstance(statement, imports) and isinstance(other, imports))


def _remove_from_line(block: list[ast.stmt], statement: ast.stmt, text: Text) -> Splice:
    """Take a statement out of a line of several: `a; b; c`."""
    index = block.index(statement)
    start, end = text.start(statement), text.end(statement)
    for right, left in itertools.pairwise(block[max(index - 1, 0) : index + 2][::-1]):
        # First with the one behind it, then with the one in front.
        first, last = text.end(left), text.start(right)
        if SEMICOLON.fullmatch(text.data, first, last):
            splice = Splice(start, last, ()) if left is statement else Splice(first, end, ())
            return _checked(splice, text)
    raise Refused("the statement shares its line with another")


def _without_double_gap(splice: Splice, text: Text) -> int:
    """The end of removed lines, and of those empty ones behind them that would add to the empty ones before."""
    before = text.data[: splice.start].split(text.newline)[:-1]
    gap = next((n for n, line in enumerate(reversed(before)) if line.strip(BLANK)), len(text.starts))
    end = splice.end
    while gap and end < len(text.data) and not text.data[end : text.line_end(end)].strip(BLANK):
        end, gap = text.next_line(end), gap - 1
    return end


def _remove_lines(start: int, end: int, text: Text) -> Splice:
    """Take whole lines away, but leave a comment at their end where it is."""
    line = text.line_start(start)
    rest = text.data[end : text.line_end(end)].strip(BLANK)
    if text.data[line:start].strip(BLANK):
        raise Refused("it shares its line with something else")
    if any(start < comment < end for comment, _ in _comments(text, start, end)):
        raise Refused("a comment inside would be lost")
    if rest.startswith(b"#"):
        return Splice(start, text.line_end(end), (rest,))
    if rest:
        raise Refused("it shares its line with something else")
    return Splice(line, text.next_line(end), ())


def _add_imports(edit: AddImports, text: Text) -> Splice:
    lines = b"".join(b"import " + module.encode() + text.newline for module in edit.modules)
    if edit.after:
        end = text.end(edit.anchor)
        at = text.next_line(end)
        if text.is_continued(at):
            raise Refused("a backslash joins the import to the next line")
        if at == text.line_end(end):  # the anchor is the file's last line, which has no newline
            return Splice(at, at, (text.newline, lines[: -len(text.newline)]))
        return Splice(at, at, (text.newline * edit.gap, lines))
    if isinstance(edit.anchor, (ast.Import, ast.ImportFrom)):
        at = text.line_start(text.start(edit.anchor))  # under what is the heading of them all
    else:
        at = text.leading(edit.anchor)
    return Splice(at, at, (lines, text.newline * edit.gap))


def _remove_alias(node: ast.Import | ast.ImportFrom, alias: ast.alias, text: Text) -> Splice:
    index = node.names.index(alias)
    neighbour = node.names[index + 1 if index + 1 < len(node.names) else index - 1]
    span = sorted((text.at(alias), text.end(alias), text.at(neighbour), text.end(neighbour)))
    if _comments(text, span[0], span[-1]):
        found = COMMA.match(text.data, text.end(alias))
        assert found
        return Splice(text.at(alias), found.end(), ())
    if index + 1 < len(node.names):
        return _checked(Splice(text.at(alias), text.at(node.names[index + 1]), ()), text)
    return _checked(Splice(text.end(node.names[index - 1]), text.end(alias), ()), text)


def _fill(
    template: str,
    filling: Mapping[str, Hole],
    node: ast.AST,
    text: Text,
    spell: Spell,
    indent: bytes,
    places: Mapping[str, tuple[ast.AST, str]] | None = None,
) -> list[bytes | Slot]:
    """A template's text, its own indentation turned into the file's, with slots for what the file provides."""
    places = holes(template) if places is None else places
    parts: list[bytes | Slot] = []
    for literal, name in pieces(template):
        lines = literal.split("\n")
        text_of = text.newline.join([lines[0].encode(), *(_line(line, indent, text) for line in lines[1:])])
        if name is None:
            parts.append(text_of)
            continue
        hole = filling[name]
        match hole:
            case Symbol():
                parts += [text_of, spell(hole, node).encode()]
            case list():
                stem, _, last = text_of.rpartition(text.newline)
                first = not parts and not text_of
                parts += [stem + text.newline if _ else b"", _block(hole, node, indent if first else last, text)]
            case ast.stmt():
                raise ValueError("a hole for statements takes a list of them")
            case _:
                parts += [text_of, _expression(hole, *places[name], text)]
    return parts


def _line(line: str, indent: bytes, text: Text) -> bytes:
    stripped = line.lstrip(" ")
    levels, rest = divmod(len(line) - len(stripped), 4)
    return indent + text.unit * levels + b" " * rest + stripped.encode()


def _block(statements: list[ast.stmt], around: ast.AST, indent: bytes, text: Text) -> Slot:
    first, last = text.own(statements[0]), statements[-1]
    if not (text.first_on_line(first) and text.last_on_line(last)):
        raise Refused("the block shares its line with something else")
    # A comment behind the last statement is the block's, unless it stays in its place behind the whole edit.
    end = min(text.line_end(text.end(last)), text.end(around))
    return Slot(text.leading(first), end, indents=(text.indent(first), indent))


def _expression(hole: ast.expr, parent: ast.AST, field: str, text: Text) -> Slot:
    _placed(hole, text)
    own = text.parentheses(hole)
    if own is not None and (binds(hole) != PRIMARY or _comments(text, *own)):
        return Slot(*own)
    start, end = text.at(hole), text.end(hole)
    if isinstance(hole, ast.Tuple) and isinstance(parent, ast.withitem):  # `with (a, b):` has two managers
        return Slot(start, end, *((b"(", b")") if text.data[start : start + 1] == b"(" else (b"((", b"))")))
    if isinstance(hole, ast.Tuple) and text.data[start : start + 1] != b"(":
        return Slot(start, end, b"(", b")")
    bracketed = (isinstance(parent, ast.Call) and field != "func") or isinstance(parent, ast.keyword)
    tight = binds(hole) >= needs(parent, field) and not isinstance(hole, (ast.NamedExpr, ast.Yield, ast.YieldFrom))
    if isinstance(parent, ast.Attribute) and isinstance(hole, ast.Constant) and type(hole.value) is int:
        tight = False  # `1.real` would be a number with a fraction
    if tight and (bracketed or _stands_alone(text.data[start:end])):
        return Slot(start, end)
    if isinstance(hole, ast.Starred):
        return Slot(start, end)
    return Slot(start, end, b"(", b")")


def _stands_alone(code: bytes) -> bool:
    """Is this an expression also outside of brackets, that is: may its lines break where they do?"""
    if not NEWLINE.search(code):
        return True
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _comments(text: Text, start: int, end: int) -> list[tuple[int, int]]:
    if b"#" not in text.data[start:end]:
        return []
    return [span for span in text.comments() if start <= span[0] < end]


def _checked(splice: Splice, text: Text) -> Splice:
    """Refuse a splice that would lose a comment."""
    kept = [part for part in splice.parts if isinstance(part, Slot)]
    for start, end in _comments(text, splice.start, splice.end):
        if not any(slot.start <= start and end <= slot.end for slot in kept):
            raise Refused("a comment would be lost")
    return splice
