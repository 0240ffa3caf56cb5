"""`asyncfix`: check, fix, graph, rule, cache.

A command imports what it needs when it runs: where a run has nothing to do, nothing is loaded for it.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeVar

from . import arguments
from .misuse import Misuse

if TYPE_CHECKING:
    import argparse

    from .cache import Store
    from .config import Config
    from .fix import Fixed
    from .memory import Checked
    from .problem import Problem
    from .project import Project
    from .rule import Rule
    from .runner import Order, Runner
    from .selection import Selection
    from .settings import Settings
    from .source import Source, Unreadable
    from .worktree import Standing

CLEAN, FOUND, FAILED = 0, 1, 2
INTERRUPTED = 128 + 2  # by SIGINT, as a shell counts
STDIN = Path("-")
DIRTY = "it had changes that are not committed; the fixes stand among them now (`--allow-dirty` silences this)"

T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    _prepare_streams()
    try:
        code = _run(argv)
        sys.stdout.flush()
    except Misuse as error:
        _say(f"asyncfix: {error}")
        return FAILED
    except KeyboardInterrupt as interrupt:
        _say("asyncfix: interrupted; no file is half written")
        return 128 + interrupt.args[0] if interrupt.args else INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # whoever read it has seen enough
        return FOUND
    except OSError as error:
        with suppress(OSError):
            from .source import reason

            _say(f"asyncfix: output cannot be written: {reason(error)}")
        _drop_output()
        return FAILED
    return code


def _prepare_streams() -> None:
    """Make stdout and stderr take whatever is written."""
    # Python has None for a stream that was closed before it began, and prints what is for stderr to stdout then.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115  # devnull is a name; open until we end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115  # as above
    for stream in (sys.stdout, sys.stderr):
        # A file's name or a message may have characters that the terminal's encoding lacks.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # not every stream can


def _drop_output() -> None:
    """Let what is still to be written go nowhere: Python would complain about it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(argv: Sequence[str] | None) -> int:
    arguments_given = sys.argv[1:] if argv is None else argv
    try:
        options = arguments.parse(arguments_given)
    except SystemExit as done:
        return int(done.code or 0)
    commands = {
        "check": _check,
        "fix": _fix,
        "graph": _graph,
        "migrate": _migrate,
        "rule": _rule,
        "cache": _cache,
    }
    return commands[options.command](options)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


class Input(NamedTuple):
    """A file to look at. `path` None: standard input."""

    name: str
    path: Path | None

    def read(self) -> Source:
        """Its content. Raises Unreadable."""
        from .source import decode, read

        return decode(_stdin()) if self.path is None else read(self.path)


def _stdin() -> bytes:
    from .source import Unreadable, reason

    if sys.stdin is None:  # an empty file would be another thing
        raise Unreadable("is closed")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise Unreadable(reason(error)) from None


class Task(NamedTuple):
    """What to look at, with which rules, and what they are told of the project."""

    inputs: list[Input]
    selection: Selection
    settings: Settings
    project: Project | None
    exclude: tuple[str, ...]

    def each(self, work: Callable[[Input, Sequence[Rule]], T], failed: Callable[[str, str], T]) -> Iterator[T]:
        """What the work gives for one file after the other, or what `failed` makes of a file and a reason."""
        from .source import Unreadable

        for given in self.inputs:
            try:
                yield work(given, self.selection.of(Path(given.name)))
            except Unreadable as error:
                yield failed(given.name, str(error))


def _configuration(options: argparse.Namespace) -> Config:
    """What the project says of itself, as far as the command line lets it."""
    from . import config

    if options.isolated and options.config:
        raise Misuse("--isolated and --config exclude each other")
    here = _here()
    if options.config:
        return config.load(options.config)
    return config.Config(root=here) if options.isolated else config.nearest(here)


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        from .source import reason

        raise Misuse(f"the current directory: {reason(error)}") from None


def _task(options: argparse.Namespace) -> Task:
    """What the command line and the configuration ask for."""
    from .check import project
    from .files import find
    from .selection import Layer, Selection, codes, select

    configured = _configuration(options)
    if options.select is not None and not _words(options.select):
        raise Misuse("--select names no rule")  # an empty variable must not turn all off
    given = Layer(
        None if options.select is None else codes(_words(options.select), "--select"),
        codes(_words(options.extend_select), "--extend-select"),
        codes(_words(options.ignore), "--ignore"),
    )
    named = [path for path in options.paths if path != STDIN]
    exclude = (*configured.exclude, *_words(options.exclude))
    inputs = [Input(name, Path(name)) for name in find(named, exclude, configured.root)]
    if len(named) < len(options.paths):
        inputs.append(Input(options.stdin_filename, None))
        inputs.sort(key=lambda given: given.name)
    return Task(
        inputs,
        Selection(select(configured.layer, given), configured.per_file_ignores, configured.root),
        configured.settings,
        None if options.no_project else project(configured.settings),
        exclude,
    )


def _words(values: Iterable[str]) -> list[str]:
    return [word for value in values for word in value.replace(",", " ").split()]


def _check(options: argparse.Namespace) -> int:
    from .memory import Record

    store, key = _store(options)
    record = store.load(key) if store else None
    if isinstance(record, Record):
        from .files import find

        names = find(options.paths, record.exclude, Path(record.root))
        if record.holds(names):
            return _report(record.said, len(names), options)
    return _survey(options, store, key)


def _survey(options: argparse.Namespace, store: Store | None, key: str) -> int:
    """Look at what may have changed since the last run, and tell of all."""
    from .ledger import Ledger
    from .progress import watched
    from .runner import Order
    from .survey import Survey

    task = _task(options)
    codes = {given.name: tuple(rule.code for rule in task.selection.of(Path(given.name))) for given in task.inputs}
    order = Order(tuple(rule.code for rule in task.selection.rules), task.settings, task.project is not None)
    with _runner(options, order) as runner:
        survey = Survey(
            [given.name for given in task.inputs],
            codes,
            runner,
            Ledger(store, key),
            task.settings,
            given=_given(task.inputs),
            project=not options.no_project,
        )
        results = watched(survey.results(), len(task.inputs), lambda checked: checked.problems or checked.failure)
        code = _report(results, len(task.inputs), options)
        survey.keep(task.exclude, task.selection.root)
    return code


def _given(inputs: Iterable[Input]) -> dict[str, bytes | Unreadable]:
    """The bytes of what is read from standard input, or why there are none."""
    from .source import Unreadable

    given: dict[str, bytes | Unreadable] = {}
    for one in inputs:
        if one.path is None:
            try:
                given[one.name] = _stdin()
            except Unreadable as error:
                given[one.name] = error
    return given


def _store(options: argparse.Namespace) -> tuple[Store | None, str]:
    """Where a run of this kind is remembered, and under which name; None: nowhere."""
    from . import cache, memory

    folder = cache.directory(options.cache_dir)
    if options.no_cache or folder is None or STDIN in options.paths:
        return None, ""
    here = _here()
    asked = (options.select, options.extend_select, options.ignore, options.exclude, options.config, options.isolated)
    configured = [options.config] if options.config else [above / "pyproject.toml" for above in (here, *here.parents)]
    said = [_bytes(path) for path in configured] if not options.isolated else []
    return cache.Store(folder), memory.key(here, options.paths, asked, options.no_project, said)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _runner(options: argparse.Namespace, order: Order) -> Runner:
    from .runner import Runner, cores

    if not options.executor:
        return Runner(order, options.jobs or cores(), lost=_lost)
    from .cluster import connect

    cluster = connect(options.executor)
    return Runner(order, cluster.workers, cluster.executor, ships=True, alive=cluster.alive, lost=_lost)


def _lost(reason: str) -> None:
    _say(f"asyncfix: a worker was lost ({reason}); its work is done here")


def _cache(options: argparse.Namespace) -> int:
    from . import cache

    folder = cache.directory(options.cache_dir)
    if folder is None:
        raise Misuse("there is no home directory to keep a cache in; say where with --cache-dir")
    if options.action == "dir":
        print(folder)
        return CLEAN
    try:
        freed = cache.Store(folder).clear()
    except OSError as error:
        from .source import reason

        raise Misuse(f"{folder}: {reason(error)}") from None
    print(f"Freed {freed / 1e6:.1f} MB in {folder}.")
    return CLEAN


def _report(results: Iterable[Checked], files: int, options: argparse.Namespace) -> int:
    """Tell what was found, in the format asked for; returns the exit code."""
    from . import report

    style = report.Style(colour=_colour(options.color))
    problems: list[Problem] = []
    failures: dict[str, str] = {}
    for checked in results:
        if checked.failure:
            failures[checked.path] = checked.failure
            _say(f"{report.shown(checked.path)}: {checked.failure}")
        problems += checked.problems
        for problem in checked.problems:
            if options.output_format == "text":
                print(*report.text(problem, style), sep="\n")
            elif options.output_format == "github":
                print(report.github(problem))
    if options.output_format == "json":
        print(report.json(problems))
    elif options.output_format == "sarif":
        from .sarif import sarif  # late: only this format needs it

        print(sarif(problems, failures, arguments.version()))
    # What a program reads on stdout must not be followed by words.
    aside = sys.stdout if options.output_format == "text" else sys.stderr
    if options.statistics:
        print(*report.statistics(problems), sep="\n", file=aside)
    if options.output_format == "text" and not options.quiet:
        print(report.summary(problems, files - len(failures)))
    return _code(failures, problems and not options.exit_zero)


def _code(failed: object, found: object) -> int:
    return FAILED if failed else FOUND if found else CLEAN


def _colour(wish: str) -> bool:
    if wish == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wish == "always"


def _fix(options: argparse.Namespace) -> int:
    from .fix import Fixed, fix
    from .needs import Scan
    from .progress import watched
    from .source import Unreadable, write

    task = _task(options)
    scan = Scan(task.selection.rules, task.settings, project=task.project is not None)
    if any(given.path is None for given in task.inputs) and len(task.inputs) > 1:
        raise Misuse("- stands alone: its mended text goes to stdout")

    def work(given: Input, rules: Sequence[Rule]) -> Fixed:
        source = given.read()
        speakers = scan.speakers(source.data)
        try:
            # All rules or none: one may speak of what the fix of another makes.
            fixed = (
                fix(source, given.name, rules, task.settings, task.project, unsafe=options.unsafe)
                if any(rule.code in speakers for rule in rules)
                else Fixed(given.name, source.data, source.data)
            )
            if given.path and fixed.after != fixed.before and not options.diff:
                write(given.path, fixed.after, was=fixed.before)
        except Unreadable as error:
            fixed = Fixed(given.name, source.data, source.data, failure=str(error))
        if given.path is None and not options.diff:
            _write_bytes(fixed.after)  # as it came where it could not be mended: an editor puts it in place of its text
        return fixed

    task, known = _set_out(task, options)
    results = task.each(work, lambda name, failure: Fixed(name, failure=failure))
    with _terminated_like_interrupted():
        return _tell(watched(results, len(task.inputs), _speaks), options, known)


def _set_out(task: Task, options: argparse.Namespace) -> tuple[Task, Standing]:
    """Before files are written: the task without what git says is to be left alone, and what git says."""
    from .leftovers import tidy
    from .worktree import standing

    known = standing(
        [given.path for given in task.inputs if given.path], [path for path in options.paths if path != STDIN]
    )
    task = task._replace(inputs=[given for given in task.inputs if given.path not in known.left])
    if not options.diff:
        tidy({Path(os.path.realpath(given.path)).parent for given in task.inputs if given.path})
    for trouble in known.trouble:
        _say(f"warning: {trouble}")
    return task, known


def _dirty(known: Standing, options: argparse.Namespace) -> frozenset[str]:
    """The files that to write to calls for a warning."""
    return frozenset() if options.allow_dirty or options.diff else frozenset(map(str, known.dirty))


def _tell_left_out(known: Standing) -> None:
    from .report import count

    for why, files in sorted(Counter(known.left.values()).items()):
        them = "it" if files == 1 else "them"
        _say(f"Left out {count(files, 'file')} {why}; name {them} to fix {them}.")


def _migrate(options: argparse.Namespace) -> int:
    from . import migrate, report

    to = migrate.version(options.to)
    if STDIN in options.paths:
        raise Misuse("migrate takes no standard input: it wants all files of a program")
    task, known = _set_out(_task(options), options)
    paths = [given.path for given in task.inputs if given.path]
    with _terminated_like_interrupted():
        done = migrate.run(paths, to, task.settings, write=not options.diff)
    for path, failure in done.failures:
        _say(f"{report.shown(path)}: {failure}")
    for path in sorted(_dirty(known, options).intersection(done.changed)):
        _say(f"{report.shown(path)}: warning: {DIRTY}")
    if options.diff:
        _write_bytes(done.diff)
    if not options.quiet:
        for line in migrate.told(done, written=not options.diff):
            _say(line)
        _tell_left_out(known)
    return _code(done.failures, (done.changed or done.left) and not options.exit_zero)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM tell the same as Ctrl-C: by itself it ends Python without a word, or one `finally`."""
    import signal  # late, as the rewriter

    def interrupt(number: int, _: object) -> NoReturn:
        raise KeyboardInterrupt(number)

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _speaks(fixed: Fixed) -> object:
    return fixed.failure or fixed.fixed or fixed.kept


def _write_bytes(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _tell(results: Iterable[Fixed], options: argparse.Namespace, known: Standing) -> int:
    """Tell what was mended and what was not, and why; returns the exit code."""
    from . import report
    from .fix import diff

    done: list[Fixed] = []
    dirty = _dirty(known, options)
    for result in results:
        done.append(result._replace(before=b"", after=b""))
        if result.failure:
            _say(f"{report.shown(result.path)}: {result.failure}")
        if options.diff and result.after != result.before:
            _write_bytes(diff(result))
        if result.path in dirty and result.after != result.before:
            _say(f"{report.shown(result.path)}: warning: {DIRTY}")
        if not options.quiet:
            _tell_file(result, options)
    if not options.quiet:
        _say(_fix_summary(done, options))
        _tell_left_out(known)
        if any(result.needs_runtime for result in done):
            _say("Add `asyncpatterns` to your dependencies: the mended code imports it.")
    found = any(result.fixed or result.kept for result in done)
    return _code(any(result.failure for result in done), found and not options.exit_zero)


def _tell_file(result: Fixed, options: argparse.Namespace) -> None:
    from . import report

    verb = "would be fixed" if options.diff else "fixed"
    for finding in result.fixed:
        place = f"{report.shown(result.path)}:{finding.line}"
        _say(f"{place}: {finding.rule.code} {verb}: {report.one_line(finding.message)}")
    for problem, why in result.kept:
        _say(f"{report.spot(problem.place)}: {problem.code} left: {report.one_line(why)}")


def _fix_summary(done: Sequence[Fixed], options: argparse.Namespace) -> str:
    from .report import count

    fixed = sum(len(result.fixed) for result in done)
    left = sum(len(result.kept) for result in done)
    more = sum(kept.problem.fix == "unsafe" for result in done for kept in result.kept)
    if not fixed and not left:
        return f"Found nothing to fix in {count(sum(not result.failure for result in done), 'file')}."
    files = sum(bool(result.fixed) for result in done)
    what = f"{count(fixed, 'error')} in {count(files, 'file')}" if fixed else "nothing"
    said = f"{'Would fix' if options.diff else 'Fixed'} {what}"
    if left:
        said += f", left {left}"
    if more and not options.unsafe:
        said += f"; `--unsafe` would fix {more} more"
    return said + "."


def _graph(options: argparse.Namespace) -> int:
    from . import graph
    from .check import project

    around = project(_configuration(options).settings)
    found = graph.Graph(around, graph.find(around, options.function, Path.cwd()))
    blocks = bool(found.edges[found.start])
    if blocks or options.format != "tree":
        print(*graph.FORMATS[options.format](found), sep="\n")
    else:
        print(f"{options.function} reaches nothing that is known to block.")
    return _code(False, blocks)


def _rule(options: argparse.Namespace) -> int:
    from . import docs
    from .rules import RULES
    from .selection import suggestion

    if options.code is None:
        rules = [RULES[code] for code in sorted(RULES)]
        if options.output_format == "json":
            print(_json([_entry(rule, docs.kind_of_fix(rule)) for rule in rules]))
        else:
            _print_table(rules, docs.kind_of_fix)
        return CLEAN
    names = {rule.name: rule for rule in RULES.values()}
    rule = RULES.get(options.code.upper()) or names.get(options.code.lower())
    if rule is None:
        raise Misuse(f"there is no rule {options.code!r}{suggestion(options.code.lower())}")
    if options.output_format == "json":
        print(_json({**_entry(rule, docs.kind_of_fix(rule)), "documentation": docs.page(rule)}))
    else:
        print(docs.page(rule), end="")
    return CLEAN


def _entry(rule: Rule, fix: str) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "default": rule.default,
        "fix": None if fix == "–" else fix,
        "summary": rule.summary,
    }


def _json(value: object) -> str:
    from json import dumps  # late: only this format needs it

    return dumps(value, indent=2)


def _print_table(rules: Sequence[Rule], kind_of_fix: Callable[[Rule], str]) -> None:
    rows = [("code", "name", "on", "fix", "what")]
    rows += [(r.code, r.name, "on" if r.default else "off", kind_of_fix(r), r.summary) for r in rules]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
