"""`asyncfix`, or `python -m flake8_asyncpatterns`."""

import sys

from .collector import sent_home


def main() -> int:
    """Run the command; returns the exit code. Ctrl-C says no more than that, even before all is loaded."""
    with sent_home():  # for a small file it would take a fifth of the time
        try:
            from .cli import main
        except KeyboardInterrupt:
            return 130
        return main()


if __name__ == "__main__":
    sys.exit(main())
