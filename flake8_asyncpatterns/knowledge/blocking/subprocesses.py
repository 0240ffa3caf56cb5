"""Calls that wait for another process.

Sources: the library reference of CPython 3.11-3.14; the installed packages GitPython 3.2.
"""

from __future__ import annotations

from .entry import Argument, Blocking, Named, each

_RUN = Blocking("AIO103", "asyncio.create_subprocess_exec")
_SHELL = Blocking("AIO103", "asyncio.create_subprocess_shell")
_WAIT = Blocking("AIO103", "asyncio.create_subprocess_exec", only="unix")
_PROCESS = Blocking("AIO103", "asyncio.subprocess.Process")
_GIT = Blocking("AIO103", "asyncio.create_subprocess_exec")
# What a parent reads from its child's pipe; only objects have it, the class does not.
_PIPE = "subprocess.Popen.stdout"

CALLS: dict[str, Blocking] = {
    **each("subprocess", "call check_call check_output run", _RUN),
    **each("subprocess", "getoutput getstatusoutput", _SHELL),
    "subprocess.Popen.communicate": _PROCESS,
    "subprocess.Popen.wait": Blocking(
        "AIO103", "asyncio.subprocess.Process", unless=(Argument(0, "timeout", (0, 0.0)),)
    ),
    **each(_PIPE, "read readline readlines", Blocking("AIO103", "asyncio.subprocess.Process", hints=("set_blocking",))),
    "os.system": _SHELL,
    "os.popen": Blocking(
        "AIO103", "asyncio.create_subprocess_shell", bound="what it gives waits, too, when it is read or closed"
    ),
    "os.wait": _WAIT,
    # `os.WNOHANG` may hide in any other value.
    "os.waitpid": Blocking("AIO103", "asyncio.create_subprocess_exec", given=Argument(1, "", (0,))),
    "os.wait3": Blocking("AIO103", "asyncio.create_subprocess_exec", given=Argument(0, "", (0,)), only="unix"),
    "os.wait4": Blocking("AIO103", "asyncio.create_subprocess_exec", given=Argument(1, "", (0,)), only="unix"),
    "os.waitid": Blocking(
        "AIO103", "asyncio.create_subprocess_exec", given=Argument(2, "", (Named("os.WEXITED"),)), only="unix"
    ),
    **each(
        "os",
        "spawnl spawnle spawnv spawnve",
        Blocking("AIO103", "asyncio.create_subprocess_exec", given=Argument(0, "", (Named("os.P_WAIT"), 0))),
    ),
    **each(
        "os",
        "spawnlp spawnlpe spawnvp spawnvpe",
        Blocking(
            "AIO103", "asyncio.create_subprocess_exec", given=Argument(0, "", (Named("os.P_WAIT"), 0)), only="unix"
        ),
    ),
    "pty.spawn": Blocking("AIO103", "asyncio.create_subprocess_exec", only="unix"),
    "git.Repo.clone_from": _GIT,
    **each("git.Repo", "archive clone commit is_dirty", _GIT),
    "git.Git.*": _GIT,
    **each("git.Remote", "fetch pull push update", _GIT),
}

NEVER: frozenset[str] = frozenset(
    f"git.Git.{name}"
    for name in (
        "check_unsafe_options", "check_unsafe_protocols", "clear_cache", "custom_environment", "environment",
        "is_cygwin", "polish_url", "set_persistent_git_options", "transform_kwarg", "transform_kwargs",
        "update_environment",
    )
)  # fmt: skip

RETURNS: dict[str, str] = {
    "git.Repo.clone_from": "git.Repo",
    "git.Repo.init": "git.Repo",
    "git.Repo.clone": "git.Repo",
    "git.Repo.remote": "git.Remote",
    "git.Repo.create_remote": "git.Remote",
}

SAME: dict[str, str] = {"git.repo.Repo": "git.Repo", "git.repo.base.Repo": "git.Repo"}

ATTRIBUTES: dict[str, str] = {
    "subprocess.Popen.stdout": _PIPE,
    "subprocess.Popen.stderr": _PIPE,
    "git.Repo.git": "git.Git",
    "git.Repo.remotes": "git.util.IterableList",
    "git.util.IterableList.origin": "git.Remote",
}
