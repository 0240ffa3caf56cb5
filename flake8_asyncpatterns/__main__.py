"""`asyncfix`, or `python -m flake8_asyncpatterns`."""

import gc
import sys


def main() -> int:
    """Run the command; returns the exit code. Ctrl-C says no more than that, even before all is loaded."""
    # What is imported and read is no garbage: to look for some would take a fifth of the time of a small file. At the
    # end, all of it goes with the process.
    gc.disable()
    try:
        from .cli import main
    except KeyboardInterrupt:
        return 130
    try:
        return main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
