"""The end of a command by a signal: one sentence, nothing half-written, never a traceback.

The first signal raises an exception in the main thread, so that everything on the way tidies up after itself. Programs
that end others often send a signal twice at once, so a second one that soon is ignored; a later one ends the process on
the spot. That does no harm either: files are written under temporary names, and runs continue after a kill.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Ended", "Signals", "open_standard_streams", "say_at_once", "sentence_of", "status_of"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# Seconds in which another signal is the same one, and after which a process that does not end is ended.
_TWICE = 1.0
_PATIENCE = 5.0
# Seconds until an exception that was lost is raised again, outside of what lost it.
_AGAIN = 0.05


class Ended(KeyboardInterrupt):
    """A signal asks the process to end; libraries let it through as they do Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def status_of(error: KeyboardInterrupt) -> int:
    """Return the exit status, 128 and the number of the signal."""
    return 128 + (error.number if isinstance(error, Ended) else int(signal.SIGINT))


def sentence_of(error: KeyboardInterrupt, kept: str = "") -> str:
    """Return what is said at the end."""
    number = status_of(error) - 128
    how = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    return f"moltheory: {how}; files already written are complete{kept}."


def say_at_once(error: KeyboardInterrupt) -> None:
    """Say it where nothing can be relied on but the descriptor of standard error."""
    with contextlib.suppress(OSError):
        os.write(2, f"{sentence_of(error)}\n".encode())


class Signals:
    """While it is entered, signals that would end the process raise `Ended` in the main thread.

    Signals that are ignored (as after `nohup`) or handled by somebody else are left alone, and so are all of them in any
    other thread than the main one.

    Parameters
    ----------
    whole_process : bool, default False
        Whether the process ends with the block: then the handlers stay, an `Ended` that is lost where Python ignores
        exceptions is raised again (imports do so), and a process that does not end within seconds is ended.
    """

    def __init__(self, *, whole_process: bool = False) -> None:
        self._whole = whole_process
        self._before: dict[int, Any] = {}
        self._first: float | None = None
        self._number = 0
        self._is_over = False
        self._said = False

    def __enter__(self) -> Signals:
        if threading.current_thread() is not threading.main_thread():
            return self
        # In another interpreter of the process there are no signals.
        with contextlib.suppress(ValueError):
            for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
                before = signal.getsignal(number)
                if before in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = before
                    signal.signal(number, self._end)
            if self._whole and hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
                signal.signal(signal.SIGALRM, self._alarm)
                sys.unraisablehook = self._unraisable(sys.unraisablehook)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._whole:
            # What is done is done: a signal while the interpreter ends must not raise.
            self._is_over, self._said = True, kind is None
            self._first = self._first or time.monotonic()
            self._set_alarm(_PATIENCE if self._number else 0.0)
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def exit(self, status: int) -> int:
        """End the process if a signal asked for it, else return the status: threads are not waited for then."""
        if self._number:
            with contextlib.suppress(BaseException):
                # As at the end of any process: temporary files are removed.
                atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    stream.flush()
            os._exit(status)
        return status

    def _end(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first, self._number = now, number
            self._set_alarm(_AGAIN)
            raise Ended(number)
        if now - self._first >= _TWICE:
            self._number = self._number or number
            self._leave()

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        """Raise again what was lost, and end a process that does not end."""
        if self._is_over or self._first is None or time.monotonic() - self._first >= _PATIENCE:
            self._leave()
        self._set_alarm(_AGAIN)
        error = sys.exc_info()[1]
        while error is not None and not isinstance(error, Ended):
            error = error.__context__
        # Otherwise somebody is tidying up.
        if error is None:
            raise Ended(self._number)

    @staticmethod
    def _unraisable(otherwise: Callable[[Any], Any]) -> Callable[[Any], None]:
        def hook(found: Any) -> None:
            if not isinstance(found.exc_value, Ended):
                otherwise(found)

        return hook

    def _set_alarm(self, seconds: float) -> None:
        if self._whole and signal.getsignal(signal.SIGALRM) == self._alarm:
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def _leave(self) -> None:
        """End the process now."""
        error = Ended(self._number)
        if not self._said:
            say_at_once(error)
        os._exit(status_of(error))


def open_standard_streams() -> None:
    """Give standard streams that were closed to the null device, lest a file or connection takes their place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free.
            with contextlib.suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stderr is None:
        # Older releases of numpy take its method when they are imported.
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
