"""The command line of `asyncfix`: what can be said, and the help that teaches it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from .misuse import Misuse

ABOUT = """\
Finds asyncio mistakes, explains them, and mends them.

examples:
  asyncfix check                       look at all Python files from here on
  asyncfix check src app.py            … at these
  asyncfix fix --diff                  show what would be mended
  asyncfix fix                         mend what can be mended safely
  asyncfix fix --unsafe                … and what a person should look at afterwards
  asyncfix graph app.worker:run        what a coroutine reaches that blocks
  asyncfix migrate . --to 3.11         bring a program from @asyncio.coroutine to async def
  asyncfix rule                        list the rules
  asyncfix rule AIO101                 explain one
"""

EPILOG = """\
exit codes:
  0  nothing was found
  1  something was found, or changed
  2  something could not be done: a file that does not parse, an unknown rule, …;
     each such file is named on stderr, and the others are still looked at

`# noqa: AIO101` at the end of a line silences a rule there, as it does for flake8.
"""

SELECTING = """\
files:
  Directories are searched for *.py and *.pyw (stubs, *.pyi, hold no code that runs),
  leaving out hidden directories, virtual environments, __pycache__, node_modules,
  site-packages, build, dist, and what is excluded. A file that is named is always
  taken, whatever it is called. What git ignores and what is in a submodule is
  checked, but `fix` leaves it alone unless it is named.

rules:
  CODES are codes or beginnings of codes, separated by commas: AIO101,AIO2. The longest
  one that fits decides. ALL means all rules, those that are off by default too.

configuration, in pyproject.toml (the nearest one upward that has the table):
  [tool.asyncfix]
  extend-select = ["AIO410"]
  ignore = ["AIO2"]
  exclude = ["docs", "tests/data/*"]
  per-file-ignores = { "tests/*" = ["AIO101"] }
  blocking = ["mylib.Client.get"]        # calls that block, besides those that are known
  not-blocking = ["requests.get"]        # calls that do not
  src = ["packages/*/src"]               # where packages lie, besides here and in src
  entry-points = ["mylib.cli.main"]      # functions that the program starts with
  runners = ["mylib.serve"]              # what looks after a service's signals
  runtime = true                         # fixes prefer the building blocks of asyncpatterns
  The command line goes before the configuration: --select forgets its rules.
"""


GRAPH = """\
examples:
  asyncfix graph app.worker:run
    async run (app/worker.py:12)
    └─ line 14: Client.fetch (app/client.py:30)
       └─ line 31: requests.get waits for the network
  asyncfix graph app.worker:run --format dot | dot -Tsvg -o run.svg
  asyncfix graph app.worker:run --format mermaid     for GitHub's Markdown

exit codes:
  0  nothing is reached that is known to block
  1  something is
  2  there is no such module or function, …
"""


MIGRATING = """\
Bring a program of the time of @asyncio.coroutine and `yield from` to async/await.

It is a move that is made once and reviewed as a whole, with the tests at hand: safe and
unsafe fixes are made alike (AIO401 to AIO406, AIO408, AIO409), until nothing is left to
do. Name everything that belongs to the program, its tests, too: a function becomes
`async def` only together with whatever drives it, overrides it or inherits it, in
whatever file, or not at all. What is not known to be right is left as it is, and told
with its place and the reason.

  asyncfix migrate . --to 3.11         the result runs on Python 3.11 and later
  asyncfix migrate src tests --to 3.8  … on 3.8, too: nothing newer is written, and what
                                       must stay for 3.8 stays
  asyncfix migrate . --to 3.11 --diff  show it, and write nothing

Names `async` and `await` of the program's own become `async_` and `await_`. Places that
ask whether something is a generator or a coroutine (inspect.isgenerator and the like) are
listed for you to look at. Nothing is written before all is worked out, and if one of the
files cannot be written, none is.
"""


class Parser(argparse.ArgumentParser):
    """Tells mistakes in one line."""

    def __init__(self, **kwargs: Any) -> None:
        # Argparse makes one of these for each argument; without a width, each asks for the terminal's.
        formatter = partial(argparse.RawDescriptionHelpFormatter, width=80)
        super().__init__(formatter_class=formatter, allow_abbrev=False, **kwargs)

    def format_help(self) -> str:
        """The help, as wide as the terminal."""
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise Misuse."""
        raise Misuse(f"{message} (see `{self.prog} --help`)")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments. Raises Misuse, or SystemExit after `--help` and `--version`."""
    given = sys.argv[1:] if argv is None else argv
    return _parser(given[0] if given else "").parse_args(given)


def _parser(command: str) -> Parser:
    """The parser for a command, which takes long to make for all; for all where it is none of these."""
    parser = Parser(prog="asyncfix", description=ABOUT, epilog=EPILOG)
    parser.add_argument("--version", action=Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    ways = {"check": _check, "fix": _fix, "graph": _graph, "cache": _cache, "migrate": _migrate, "rule": _rule}
    for add in [ways[command]] if command in ways else ways.values():
        add(commands)
    return parser


def _check(commands: Any) -> None:
    check = commands.add_parser(
        "check", help="report what is wrong", description="Report what is wrong.", epilog=SELECTING + "\n" + EPILOG
    )
    _selection(check)
    check.add_argument(
        "--output-format", choices=("text", "json", "github", "sarif"), default="text", help="default: text"
    )
    _jobs(check, "look at")
    check.add_argument(
        "--executor",
        metavar="URL",
        help="have a cluster look at the files: dask://HOST:PORT is that of a Dask scheduler (needs the extra `dask`)",
    )
    _cached(check, "look at all files")
    check.add_argument("--statistics", action="store_true", help="say at the end how often each rule spoke")
    check.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="default: auto, which means on a terminal unless NO_COLOR is set",
    )


def _fix(commands: Any) -> None:
    fix = commands.add_parser(
        "fix",
        help="mend what can be mended",
        description="Mend what can be mended. What a fix cannot prove it leaves alone, and says why.\n"
        "What was done is told on stderr; stdout has the diff, or the text for `-`.",
        epilog=SELECTING + "\n" + EPILOG,
    )
    _selection(fix)
    fix.add_argument("--diff", action="store_true", help="show on stdout what would change, and write nothing")
    _jobs(fix, "mend")
    fix.add_argument("--unsafe", action="store_true", help="also fix where the result wants a look by a person")
    fix.add_argument(
        "--allow-dirty", action="store_true", help="do not warn of files with changes that are not committed"
    )
    _cached(fix, "ask all files anew what they tell the others")
    fix.set_defaults(executor=None)  # that is for `check`


def _graph(commands: Any) -> None:
    graph = commands.add_parser(
        "graph",
        help="show what a coroutine reaches that blocks",
        description="Show what a coroutine reaches that blocks: through the functions that it calls and the coroutines"
        " that it\nawaits, in all files of the project. What is handed to a thread is not followed.",
        epilog=GRAPH,
    )
    graph.add_argument(
        "function", metavar="MODULE:FUNCTION", help="app.worker:run, app.worker:Client.fetch, src/app/worker.py:run"
    )
    graph.add_argument("--format", choices=("tree", "dot", "mermaid"), default="tree", help="default: tree")
    _configured(graph)


def _cache(commands: Any) -> None:
    cache = commands.add_parser(
        "cache",
        help="say where earlier results are kept, or delete them",
        description="Say where the results of earlier checks are kept, or delete them.",
    )
    cache.add_argument("action", choices=("dir", "clear"), help="show the directory, or delete what is in it")
    _cache_dir(cache)


def _rule(commands: Any) -> None:
    rule = commands.add_parser(
        "rule", help="explain a rule, or list them all", description="Explain a rule, or list them all."
    )
    rule.add_argument("code", nargs="?", metavar="CODE", help="a code or a name: AIO101, blocking-sleep")
    rule.add_argument("--output-format", choices=("text", "json"), default="text", help="default: text")


def _migrate(commands: Any) -> None:
    migrate = commands.add_parser(
        "migrate",
        help="bring a program from generator coroutines to async/await, all its files together",
        description=MIGRATING,
        epilog=EPILOG,
    )
    migrate.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="files and directories: all of the program"
    )
    migrate.add_argument(
        "--to", required=True, metavar="VERSION", help="the oldest Python that is to run the result: 3.11"
    )
    migrate.add_argument("--diff", action="store_true", help="show on stdout what would change, and write nothing")
    migrate.add_argument(
        "--allow-dirty", action="store_true", help="do not warn of files with changes that are not committed"
    )
    _jobs(migrate, "rewrite")
    migrate.add_argument("--exclude", action="append", metavar="GLOBS", default=[], help="leave out such files, too")
    migrate.add_argument("--config", type=Path, metavar="FILE", help="use this file's [tool.asyncfix]")
    migrate.add_argument("--isolated", action="store_true", help="use no configuration")
    migrate.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever was changed or left")
    migrate.add_argument("-q", "--quiet", action="store_true", help="tell only what went wrong")
    # What `check` and `fix` can be told, and this cannot.
    migrate.set_defaults(
        select=None, extend_select=[], ignore=[], stdin_filename="stdin", no_project=True, executor=None
    )


def _selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, default=[Path()], metavar="PATH", help="files, directories, or - for stdin"
    )
    parser.add_argument("--stdin-filename", metavar="PATH", default="stdin", help="what to call the file read from -")
    parser.add_argument("--select", action="append", metavar="CODES", help="use these rules only")
    parser.add_argument("--extend-select", action="append", metavar="CODES", default=[], help="use these rules, too")
    parser.add_argument("--ignore", action="append", metavar="CODES", default=[], help="do without these rules")
    parser.add_argument(
        "--exclude",
        action="append",
        metavar="GLOBS",
        default=[],
        help="leave out such files and directories, as well as those that the configuration excludes",
    )
    _configured(parser)
    parser.add_argument(
        "--no-project",
        action="store_true",
        help="look at each file on its own, without what the files say that it imports",
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever was found")
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary; from fix: only what went wrong")


def _cached(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--no-cache", action="store_true", help=f"{what}, whatever is known from before")
    _cache_dir(parser)


def _cache_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache-dir",
        type=Path,
        metavar="DIR",
        help="keep results here (default: $ASYNCFIX_CACHE_DIR, else the user's own directory for caches)",
    )


def _jobs(parser: argparse.ArgumentParser, verb: str) -> None:
    parser.add_argument(
        "-j",
        "--jobs",
        type=_positive,
        metavar="N",
        help=f"{verb} files in N processes at once (default: one for each processor)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _configured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="use this file's [tool.asyncfix]")
    parser.add_argument("--isolated", action="store_true", help="use no configuration")


class Version(argparse.Action):
    """Looks the version up only when asked: that takes longer than all the rest."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit."""
        print(f"asyncfix {version()}")
        parser.exit()


def version() -> str:
    """The installed version."""
    from importlib.metadata import version

    return version("flake8-asyncpatterns")
