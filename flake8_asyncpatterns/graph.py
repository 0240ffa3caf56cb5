"""What a coroutine reaches that blocks, over any number of functions and files: as a tree, or to be drawn."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from .facts import Block, Facts, Function
from .knowledge.blocking.entry import WAITS_FOR
from .misuse import Misuse
from .project import Project
from .report import shown
from .tuples import NamedTuple
from .ways import FILES, FOR_REAL, Node, comes_to

CODES = FOR_REAL | FILES
SUFFIX = ".py"


class Stop(NamedTuple):
    """A call that blocks, and where it stands."""

    block: Block
    path: str
    line: int


class Visit(NamedTuple):
    """A function, and those of its uses that are reached only with some arguments, and were with these."""

    function: Node
    reached: tuple[int, ...] = ()


class Edge(NamedTuple):
    """One line of the picture: from a line of a function to what is used there."""

    line: int
    to: Visit | Stop


class Graph:
    """What is reached from one function. `edges` are those that lead to what blocks, in the order of the lines."""

    def __init__(self, project: Project, start: Node) -> None:
        self.project = project
        self.ways = project.ways
        self.start = Visit(start, tuple(self._conditional(start)))
        every = dict(self._explored())
        blocking = _leading(every)
        self.edges = {
            visit: [edge for edge in edges if isinstance(edge.to, Stop) or edge.to in blocking]
            for visit, edges in every.items()
        }

    def function(self, visit: Visit) -> Function:
        """What the facts say of a function."""
        return self.ways.function(visit.function)

    def _conditional(self, node: Node) -> Iterator[int]:
        return (at for at, use in enumerate(self.ways.function(node).uses) if use.when)

    def _explored(self) -> Iterator[tuple[Visit, list[Edge]]]:
        todo, seen = [self.start], {self.start}
        for visit in todo:
            edges = list(dict.fromkeys(self._edges(visit)))
            yield visit, edges
            for edge in edges:
                if isinstance(edge.to, Visit) and edge.to not in seen:
                    seen.add(edge.to)
                    todo.append(edge.to)

    def _edges(self, visit: Visit) -> Iterator[Edge]:
        for at, use in enumerate(self.function(visit).uses):
            if use.when and at not in visit.reached:
                continue
            node = visit.function._replace(use=at)
            if isinstance(use.target, Block):
                if use.target.code in CODES:
                    yield Edge(use.span.line, Stop(use.target, node.path, use.span.line))
                continue
            entered = self.ways.entered(node) or self._awaited(node)
            if entered is not None:
                yield Edge(use.span.line, Visit(entered, tuple(self._reached(node, entered))))

    def _awaited(self, node: Node) -> Node | None:
        """The coroutine function that a use calls, where what that gives is awaited or made a task of."""
        called = self.ways.called(node) if "awaited" in self.ways.use(node).stands else None
        return called if called is not None and self.ways.function(called).on_loop else None

    def _reached(self, node: Node, entered: Node) -> Iterator[int]:
        function, given = self.ways.function(entered), self.ways.use(node).given
        for at in self._conditional(entered):
            if comes_to(function.uses[at], function.parameters, given) is not False:
                yield at


def _leading(edges: dict[Visit, list[Edge]]) -> set[Visit]:
    """The functions that lead to something that blocks."""
    before: dict[Visit | Stop, list[Visit]] = {}
    for visit, some in edges.items():
        for edge in some:
            before.setdefault(edge.to, []).append(visit)
    todo = [visit for visit, some in edges.items() if any(isinstance(edge.to, Stop) for edge in some)]
    found = set(todo)
    for visit in todo:
        for other in before.get(visit, ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def find(project: Project, wanted: str, here: Path) -> Node:
    """The function that `MODULE:FUNCTION` or `FILE.py:FUNCTION` names, seen from a directory.

    Raises Misuse, with what was perhaps meant.
    """
    module, colon, name = wanted.rpartition(":")
    if not colon:
        module, name = wanted, ""
    path = _file(project, module, here)
    facts = project.facts(path)
    if facts is None:
        raise Misuse(f"{shown(_near(path))} cannot be read, or is no Python")
    names = _names(facts)
    if not name:
        coroutines = [full for full, number in names.items() if facts.functions[number].on_loop]
        told = f"; its coroutines: {_some(coroutines)}" if coroutines else ""
        raise Misuse(f"which function of {module}? Say {module}:FUNCTION{told}")
    if name in names:
        return Node(path, names[name])
    ends = [full for full in names if full.rpartition(".")[2] == name]
    if len(ends) == 1:
        return Node(path, names[ends[0]])
    if ends:
        raise Misuse(f"{module} has more than one {name}: {_some(ends)}")
    close = get_close_matches(name, [*names, *(full.rpartition(".")[2] for full in names)], 1)
    raise Misuse(f"{module} has no function {name!r}" + (f"; did you mean {close[0]}?" if close else ""))


def _file(project: Project, module: str, here: Path) -> str:
    if module.endswith(SUFFIX) or os.sep in module or "/" in module:
        path = here / module
        if not path.is_file():
            raise Misuse(f"{module} is no file")
        return str(path)
    found = project.roots.file(str(here / "-"), module)
    if found and not found[1]:
        return found[0]
    modules = _modules(here)
    close = get_close_matches(module, modules, 1)
    raise Misuse(f"no module {module!r} from here on" + (f"; did you mean {close[0]}?" if close else ""))


def _modules(here: Path) -> list[str]:
    """The modules that may have been meant: those in this directory, and in its packages."""
    folders = [here, here / "src"]
    found = [path.relative_to(folder) for folder in folders for path in folder.glob("*.py")]
    found += [path.relative_to(folder) for folder in folders for path in folder.glob("*/**/*.py")]
    dotted = (".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in found)
    return list(dict.fromkeys(dotted))


def _names(facts: Facts) -> dict[str, int]:
    """The functions of a file by name, methods by that of their class, too."""
    return {f"{f.owner}.{f.name}" if f.owner else f.name: number for number, f in enumerate(facts.functions)}


def _some(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")


def tree(graph: Graph) -> Iterator[str]:
    """The lines of the tree for people. What has been shown once is not shown again."""
    yield _title(graph, graph.start)
    done = {graph.start}
    todo = [("", edge, edge is graph.edges[graph.start][-1]) for edge in reversed(graph.edges[graph.start])]
    while todo:
        indent, edge, is_last = todo.pop()
        branch = f"{indent}{'└─' if is_last else '├─'} line {edge.line}: "
        if isinstance(edge.to, Stop):
            yield f"{branch}{_stop(edge.to)}"
            continue
        again = edge.to in done
        yield f"{branch}{_title(graph, edge.to)}{' – see above' if again else ''}"
        if not again:
            done.add(edge.to)
            inner, more = indent + ("   " if is_last else "│  "), graph.edges[edge.to]
            todo += [(inner, one, one is more[-1]) for one in reversed(more)]


def _title(graph: Graph, visit: Visit) -> str:
    function = graph.function(visit)
    name = f"{function.owner}.{function.name}" if function.owner else function.name
    return f"{'async ' if function.on_loop else ''}{name} ({shown(_near(visit.function.path))}:{function.line})"


def _stop(stop: Stop) -> str:
    return f"{stop.block.name.removeprefix('builtins.')} waits for {WAITS_FOR[stop.block.code]}"


def _near(path: str) -> str:
    """A path as people here write it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def dot(graph: Graph) -> Iterator[str]:
    """The picture in the language of Graphviz."""
    yield "digraph asyncfix {"
    yield "  rankdir=LR; node [shape=box];"
    numbers = _numbers(graph)
    for to, number in numbers.items():
        style = ", style=filled, fillcolor=lightcoral" if isinstance(to, Stop) else ""
        style = ", style=rounded" if isinstance(to, Visit) and graph.function(to).on_loop else style
        yield f'  n{number} [label="{_escaped(_label(graph, to))}"{style}];'
    for visit, edges in _drawn(graph):
        for edge in edges:
            yield f'  n{numbers[visit]} -> n{numbers[edge.to]} [label="{edge.line}"];'
    yield "}"


def mermaid(graph: Graph) -> Iterator[str]:
    """The picture in the language of Mermaid, which GitHub draws in Markdown."""
    yield "flowchart LR"
    numbers = _numbers(graph)
    for to, number in numbers.items():
        left, right = ("([", "])") if isinstance(to, Visit) and graph.function(to).on_loop else ("[", "]")
        label = _label(graph, to).replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;")
        yield f'  n{number}{left}"{label}"{right}'
    for visit, edges in _drawn(graph):
        for edge in edges:
            yield f"  n{numbers[visit]} -->|{edge.line}| n{numbers[edge.to]}"
    yield "  classDef blocks fill:#f08080"
    stops = [f"n{number}" for to, number in numbers.items() if isinstance(to, Stop)]
    if stops:
        yield f"  class {','.join(stops)} blocks"


def _drawn(graph: Graph) -> Iterator[tuple[Visit, list[Edge]]]:
    return ((visit, edges) for visit, edges in graph.edges.items() if edges or visit == graph.start)


def _numbers(graph: Graph) -> dict[Visit | Stop, int]:
    shown_ones: dict[Visit | Stop, None] = {graph.start: None}
    for visit, edges in _drawn(graph):
        shown_ones[visit] = None
        shown_ones.update(dict.fromkeys(edge.to for edge in edges))
    return {to: number for number, to in enumerate(shown_ones)}


def _label(graph: Graph, to: Visit | Stop) -> str:
    if isinstance(to, Visit):
        return _title(graph, to)
    return f"{_stop(to)} ({shown(_near(to.path))}:{to.line})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


FORMATS = {"tree": tree, "dot": dot, "mermaid": mermaid}
