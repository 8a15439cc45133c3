"""``python -m initperf``: the command line."""

import sys

from initperf.cli import main

sys.exit(main())
