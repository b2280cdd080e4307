"""`turnwire`, and `python -m turnwire`."""

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it quietly, also while it is still loading."""
    try:
        from turnwire.cli.process import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
