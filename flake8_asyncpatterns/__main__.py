"""`python -m flake8_asyncpatterns` is `asyncfix`."""

from .cli import main

raise SystemExit(main())
