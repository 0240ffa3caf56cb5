"""How calls come to block, over any number of functions and files: the surest and shortest way from each."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from .facts import (
    CONDITIONAL,
    Block,
    Condition,
    Constant,
    Facts,
    Function,
    Given,
    Named,
    Parameter,
    Span,
    Step,
    Use,
    Way,
)
from .facts import Ways as Answer
from .tuples import NamedTuple

# What a way may end in. Reading or writing a file is usually short, and a matter of its own.
FOR_REAL = frozenset({"AIO101", "AIO102", "AIO103", "AIO106", "AIO107", "AIO108", "AIO115"})
SLEEPS = frozenset({"AIO101"})
WORSE = FOR_REAL - SLEEPS
FILES = frozenset({"AIO104"})
# What a step costs, in steps, for each doubt whether it is taken.
DOUBT = 1000
# How many doubts a way may have that goes through so many files (OTHERWISE: through more). What a file says of itself
# is told in any case; but of the ways through many files that are there, most are never gone.
MOST = {1: DOUBT, 2: 4}
OTHERWISE = 1


class Known(NamedTuple):
    """A parameter that is a constant; `shown` is that as text, for constants of two kinds have no order."""

    name: str
    shown: str
    value: Constant


class Node(NamedTuple):
    """A use, by the path of its file, the number of its function there, and its own number in that; or, without that,
    the function. `known` are those of the function's parameters that the use hands on, and are constants here."""

    path: str
    function: int
    use: int = -1
    known: tuple[Known, ...] = ()


class Ways:
    """The ways through all files that `facts` has; `resolve` says which function a call of what has a name runs."""

    def __init__(
        self, facts: Callable[[str], Facts | None], resolve: Callable[[str, Named], tuple[str, int] | None]
    ) -> None:
        self._facts = facts
        self._resolve = resolve
        self._entered: dict[Node, Node | None] = {}
        self._after: dict[Node, list[tuple[int, Node]]] = {}
        self._to = {
            codes: Nearest(self._behind, self._cost, partial(self._ends, codes=codes))
            for codes in (FOR_REAL, WORSE, FILES)
        }
        self._to_hindrances = Nearest(self._calls, lambda _: 1, self._hinders)

    def abroad(self, path: str) -> Answer:
        """The uses in a file by which code on the event loop comes to block by way of other files."""
        ways = self.here(path)
        return {span: way for span, (way, is_own) in ways.items() if not is_own}

    def here(self, path: str) -> dict[Span, tuple[Way, bool]]:
        """The uses in a file by which code on the event loop comes to block, and whether only the file itself says so.

        What comes to nothing worse than work on files does so where nothing is worse.
        """
        facts = self._facts(path)
        found: dict[Span, tuple[Way, bool]] = {}
        for number, function in enumerate(facts.functions if facts else ()):
            for at, use in enumerate(function.uses if function.on_loop else ()):
                node = Node(path, number, at)
                entered = self.entered(node)
                if entered is None:
                    continue
                # What leads nowhere else leads to nothing worse.
                ends = (FOR_REAL, WORSE, FILES) if self._to[FOR_REAL].cost(node) else (FILES,)
                steps = next((self.steps(node, codes) for codes in ends if self._is_sure(node, codes)), None)
                if steps:
                    found[use.span] = self._way(steps, entered, path)
        return found

    def _is_sure(self, node: Node, codes: frozenset[str]) -> bool:
        """Is there a way, and is it likely enough to be gone?"""
        steps = self.steps(node, codes)
        if not steps or not self._is_possible(steps):
            return False
        doubts = self._to[codes].cost(node) // DOUBT - self.use(node).doubt
        files = len({step.path for step in steps})
        end = self.use(steps[-1]).target
        # A helper's sleep under a condition is mostly a pause before it tries again, which it seldom has to.
        pauses = isinstance(end, Block) and end.code in SLEEPS and files > 1
        return doubts <= (OTHERWISE if pauses else MOST.get(files, OTHERWISE))

    def _is_possible(self, steps: Iterable[Node]) -> bool:
        """Is nothing true of an object for one step of a way that is false for another?"""
        known: dict[str, bool] = {}
        for use in map(self.use, steps):
            if any(known.get(test, so) is not so for test, so in use.own):
                return False
            known = {**known, **dict(use.own)} if use.on_self else {}
        return True

    def _way(self, nodes: list[Node], entered: Node, path: str) -> tuple[Way, bool]:
        end = self.use(nodes[-1]).target
        assert isinstance(end, Block)  # as ways end
        hindrance, told_by = self.hindrance(entered)
        generator = self.function(entered).runs in ("entered", "iterated")
        worse = self.steps(nodes[0], WORSE) if end.code in SLEEPS else []
        way = Way(tuple(map(self.step, nodes)), end, hindrance, generator, end.code in SLEEPS and not worse)
        return way, told_by == path and all(node.path == path for node in (*nodes, *worse))

    def step(self, node: Node) -> Step:
        """What others are told of a use."""
        use, entered = self.use(node), self.entered(node)
        reads = "read" in use.stands
        if entered is None:
            name = use.target.name if isinstance(use.target, Block) else use.called
            return Step(node.path, use.span, name, use.called, reads, node.path, use.span.line)
        function = self.function(entered)
        name = use.called if function.name == "__init__" and not reads else function.name
        return Step(node.path, use.span, name, use.called, reads, entered.path, function.line)

    def function(self, node: Node) -> Function:
        """The function that a node is, or is in."""
        facts = self._facts(node.path)
        assert facts is not None  # they have led to it
        return facts.functions[node.function]

    def use(self, node: Node) -> Use:
        """The use that a node is."""
        return self.function(node).uses[node.use]

    def entered(self, node: Node) -> Node | None:
        """The plain function that a use runs, there and then; None: none, or unsure."""
        if node not in self._entered:
            called = self.called(node)
            runs = called is not None and _runs(self.function(called), self.use(node))
            self._entered[node] = called if runs else None
        return self._entered[node]

    def called(self, node: Node) -> Node | None:
        """The function, coroutine functions included, that a use calls."""
        target = self.use(node).target
        if isinstance(target, int):
            return Node(node.path, target)
        found = self._resolve(node.path, target) if isinstance(target, Named) else None
        return Node(*found) if found else None

    def steps(self, node: Node, codes: frozenset[str]) -> list[Node]:
        """The surest way, and of these the shortest, from a use to what blocks; empty: there is none."""
        return [step for step in self._to[codes].way(node) if step.use >= 0]

    def _cost(self, node: Node) -> int:
        """What a node adds to a way: one that is sure is better than one that is short."""
        return 0 if node.use < 0 else 1 + DOUBT * self.use(node).doubt

    def _ends(self, node: Node, codes: frozenset[str]) -> bool:
        target = self.use(node).target if node.use >= 0 else None
        return isinstance(target, Block) and target.code in codes

    def _behind(self, node: Node) -> list[tuple[int, Node]]:
        """See `_goes_on`: the same for all ways, whatever they are to end in."""
        if node not in self._after:
            self._after[node] = list(self._goes_on(node))
        return self._after[node]

    def _goes_on(self, node: Node) -> Iterator[tuple[int, Node]]:
        """What a way may go on with behind a node, and what that costs besides.

        A function is a node with those of its uses behind it that are the same however it is called; uses that depend
        on the arguments of a call lie behind the calls that reach them.
        """
        if node.use < 0:
            uses = self.function(node).uses
            yield from ((0, Node(node.path, node.function, at)) for at, use in enumerate(uses) if not _depends(use))
            return
        entered = self.entered(node)
        if entered is not None:
            yield 0, entered
            function, given = self.function(entered), _given(self.use(node), node.known)
            for at, use in enumerate(function.uses):
                reached = comes_to(use, function.parameters, given) if _depends(use) else False
                if reached is not False:
                    undecided = max(0, CONDITIONAL - use.doubt) if reached is None else 0
                    known = tuple(_known(use, function.parameters, given))
                    yield DOUBT * undecided, Node(entered.path, entered.function, at, known)

    def hindrance(self, start: Node) -> tuple[str, str]:
        """Why a thread cannot run a function, with all that it calls (empty: it can), and which file says so."""
        found = self._to_hindrances.way(start)
        return (self.function(found[-1]).hindrance, found[-1].path) if found else ("", start.path)

    def _hinders(self, node: Node) -> bool:
        return bool(self.function(node).hindrance)

    def _calls(self, node: Node) -> Iterator[tuple[int, Node]]:
        """The functions that a function may run."""
        for at in range(len(self.function(node).uses)):
            entered = self.entered(Node(node.path, node.function, at))
            if entered is not None:
                yield 0, entered


class Nearest:
    """From each node the cheapest way to an end, each node being looked at once, whoever asks in which order.

    `behind` gives the nodes behind one, and what it costs to get there; `cost` is that of a node itself, at least 1
    for an end; `ends` says which nodes are ends.
    """

    def __init__(
        self,
        behind: Callable[[Node], Iterable[tuple[int, Node]]],
        cost: Callable[[Node], int],
        ends: Callable[[Node], bool],
    ) -> None:
        self._behind, self._cost, self._ends = behind, cost, ends
        self._solved: dict[Node, tuple[int, Node | None]] = {}

    def cost(self, node: Node) -> int:
        """What the cheapest way from a node costs; 0: there is none."""
        if node not in self._solved:
            self._solve(node)
        return self._solved[node][0]

    def way(self, node: Node) -> list[Node]:
        """The nodes of the cheapest way; empty: there is none."""
        way: list[Node] = []
        current: Node | None = node if self.cost(node) else None
        while current is not None:
            way.append(current)
            current = self._solved[current][1]
        return way

    def _solve(self, start: Node) -> None:
        """Look at all that can be reached from a node and was not yet looked at."""
        behind: dict[Node, list[tuple[int, Node]]] = {}
        before: dict[Node, list[tuple[int, Node]]] = {}
        todo = [start]
        while todo:
            node = todo.pop()
            if node in behind or node in self._solved:
                continue
            behind[node] = list(self._behind(node))
            for more, other in behind[node]:
                before.setdefault(other, []).append((more, node))
                todo.append(other)
        costs: dict[Node, int] = {}
        queue = [(self._solved[node][0], node) for node in before if node in self._solved and self._solved[node][0]]
        queue += [(self._cost(node), node) for node in behind if self._ends(node)]
        heapq.heapify(queue)
        while queue:
            cost, node = heapq.heappop(queue)
            if node not in costs:
                costs[node] = cost
                for more, other in before.get(node, ()):
                    heapq.heappush(queue, (cost + more + self._cost(other), other))
        for node, others in behind.items():
            ways = [(costs[other] + more, other) for more, other in others if other in costs]
            further = None if not ways or self._ends(node) else min(ways)[1]
            self._solved[node] = (costs.get(node, 0), further)


def _runs(function: Function, use: Use) -> bool:
    """Does this use run this function, there and then?"""
    if function.reads is not ("read" in use.stands):
        return False
    return function.runs == "called" or (function.runs != "" and function.runs in use.stands)


def _depends(use: Use) -> bool:
    """Does it depend on the arguments of a call whether, or with what, its function comes to a use?"""
    return bool(use.when or (use.given is not None and use.given.handed_on()))


def _given(use: Use, known: tuple[Known, ...]) -> Given | None:
    """The arguments of a call, with what is known of those that are handed on."""
    if use.given is None or not known:
        return use.given
    positional, keywords, spread = use.given
    own: dict[Constant | str | None, Constant] = {one.name: one.value for one in known}
    return Given(
        tuple(own.get(one, one) for one in positional),
        {name: own.get(one, one) for name, one in keywords.items()},
        spread,
    )


def _known(use: Use, parameters: Mapping[str, Parameter], given: Given | None) -> Iterator[Known]:
    """The parameters of a function that a use in it hands on, as far as they are constants for a call."""
    if given is not None and use.given is not None:
        for name in dict.fromkeys(use.given.handed_on()):
            constant = _passed(name, parameters[name], given)
            if constant is not None:
                yield Known(name, repr(constant), constant)


def comes_to(use: Use, parameters: Mapping[str, Parameter], given: Given | None) -> bool | None:
    """Is a place reached with what a call gives its function, as far as constants decide? None: perhaps."""
    so = [(_truth(when.test, parameters, given), when.so) for when in use.when]
    if any(truth is (not wanted) for truth, wanted in so):
        return False
    return True if all(truth is not None for truth, _ in so) else None


def _truth(test: Condition, parameters: Mapping[str, Parameter], given: Given | None) -> bool | None:
    """What a condition on a function's parameters is for a call; None: unknown."""
    if test.kind in ("given", "is", "is not"):
        constant = _passed(test.name, parameters[test.name], given) if given else None
        if constant is None:
            return None
        if test.kind == "given" or test.value is None:
            return bool(constant[0])
        return bool(constant == test.value) is (test.kind == "is")
    parts = [_truth(part, parameters, given) for part in test.parts]
    match test.kind:
        case "not":
            return None if parts[0] is None else not parts[0]
        case "or" | "and":
            deciding = test.kind == "or"
            return deciding if deciding in parts else None if None in parts else not deciding
    return None


def _passed(name: str, parameter: Parameter, given: Given) -> Constant | None:
    """The constant that a call gives a parameter; None: unknown."""
    if name in given.keywords:
        found = given.keywords[name]
    elif 0 <= parameter.place < len(given.positional):
        found = given.positional[parameter.place]
    else:
        return None if given.spread else parameter.default
    return None if isinstance(found, str) else found
