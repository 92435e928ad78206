"""``python -m moltheory``."""

import sys

from moltheory.cli import main

if __name__ == "__main__":
    sys.exit(main())
