"""What keeps the result of a function as it is, to give it to whoever asks next.

Caches that know of coroutines (`async_lru`, `aiocache`, `cached-property`, `asyncstdlib`) are not here.
Sources: Lib/functools.py of CPython 3.11-3.14; django/utils/functional.py, werkzeug/utils.py, propcache/_helpers_py.py,
cachetools 8.0.
"""

from __future__ import annotations

_CACHETOOLS = frozenset(f"cachetools.func.{kind}_cache" for kind in ("fifo", "lfu", "lru", "rr", "ttl"))

CACHES = _CACHETOOLS | frozenset({
    "functools.cache", "functools.cached_property", "functools.lru_cache", "django.utils.functional.cached_property",
    "propcache.cached_property", "propcache.api.cached_property", "werkzeug.utils.cached_property",
})  # fmt: skip
# Those that are called first: `@lru_cache(maxsize=1)`.
MAKE_CACHES = _CACHETOOLS | {"cachetools.cached", "cachetools.cachedmethod", "functools.lru_cache"}
