"""``python -m moltheory``, and the command: signals are taken care of before anything else is imported."""

from __future__ import annotations

import signal
import sys

__all__ = ["run"]


def run() -> int:
    """Return the exit status of the command of this process, which ends with it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until it is handled, Ctrl-C ends the process as the other signals do, without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from moltheory._cli._signals import Signals, open_standard_streams, say_at_once, status_of

    open_standard_streams()
    signals = Signals(whole_process=True)
    try:
        with signals:
            from moltheory.cli import main

            status = main()
    except KeyboardInterrupt as error:
        # While modules were imported, or at the very end.
        say_at_once(error)
        status = status_of(error)
    return signals.exit(status)


if __name__ == "__main__":
    sys.exit(run())
