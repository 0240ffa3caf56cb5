"""`asyncfix`, or `python -m flake8_asyncpatterns`."""

import sys


def main() -> int:
    """Run the command; returns the exit code. Ctrl-C says no more than that, even before all is loaded."""
    try:
        from .cli import main
    except KeyboardInterrupt:
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(main())
