"""A folder in object storage (S3, Google Cloud, Azure, ...), through fsspec: whole objects put and got by name.

An object is replaced as a whole or not at all, so nothing is renamed, and no temporary object is left behind. What is
there is asked for by name; lists of names, which some stores renew late, serve messages and tables alone. Errors that
pass, as of a connection, are met by trying again, a bounded number of times.

Credentials are those of the environment or of fsspec's configuration, on every machine its own: a place holds none, so
none gets into records, messages or calls for other processes.
"""

from __future__ import annotations

import contextlib
import errno
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from moltheory._core._text import shortened
from moltheory.errors import InvalidInputError, MissingDependencyError, OutputError

__all__ = ["ObjectPlace", "is_url", "masked"]

_Result = TypeVar("_Result")

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*::)*[A-Za-z][A-Za-z0-9+.-]*://")
_WORDS = r"(?:secret|token|passw|credential|signature|access_?key|account_?key|sas|api_?key)"
_SECRET = re.compile(rf"^key$|{_WORDS}", re.IGNORECASE)
_SHOWN = re.compile(rf"(\b\w*{_WORDS}\w*\W{{1,3}})[^\s&,;'\"]+", re.IGNORECASE)
_USER = re.compile(r"//[^/@\s]*:[^/@\s]*@")

# Seconds between attempts; libraries try again on their own account within each. A part is work that would be lost, so
# it is tried for longer than what can be asked for again.
_DELAYS = (0.5, 2.0)
_PATIENT = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, NotImplementedError)
_LASTING_ERRNO = {errno.ENOSYS, errno.EINVAL, errno.ENAMETOOLONG, errno.EPERM, errno.EMSGSIZE}
_PROOF = ".moltheory-writable"
_KEPT = "finished parts are kept"


def is_url(text: object) -> bool:
    """Whether a text is a URL and no path.

    Examples
    --------
    >>> is_url("s3://bucket/run"), is_url("runs/1"), is_url("C:/runs")
    (True, False, False)
    """
    return isinstance(text, str) and _URL.match(text) is not None


def masked(text: str) -> str:
    """Return a text without passwords, keys and signatures.

    Examples
    --------
    >>> masked("sftp://me:pw@host/a?X-Amz-Signature=ab12"), masked("secret_key=ab12, x")
    ('sftp://***@host/a?X-Amz-Signature=***', 'secret_key=***, x')
    """
    return _SHOWN.sub(r"\1***", _USER.sub("//***@", text))


@dataclass(frozen=True, eq=False)
class ObjectPlace:
    """A folder or an object by its URL; made by `ObjectPlace.of`.

    Attributes
    ----------
    url : str
    options : dict
        What the file system is made with, besides what it finds in the environment.
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, url: str, options: Mapping[str, Any], *, argument: str) -> ObjectPlace:
        """Return the place of a URL whose protocol is known and installed.

        Raises
        ------
        InvalidInputError
            If it is not known, or the URL or the options hold credentials.
        MissingDependencyError
            If its package is not installed.
        """
        if _USER.search(url) or "?" in url or (secret := _secret(options)):
            found = repr(masked(url)) if _USER.search(url) or "?" in url else f"the option {secret!r}"
            raise InvalidInputError(
                f"`{argument}` must be a URL without credentials, got {found}: set them in the environment, where all "
                "processes of the run find them."
            )
        if "::" in url:
            raise InvalidInputError(f"`{argument}` must be a URL of one place, got {url!r}, a chain of several.")
        place = cls(url.rstrip("/"), dict(options))
        try:
            place._system()
        except (ImportError, ValueError, TypeError) as error:
            rule = f"`{argument}` must be a place that can be reached, got {url!r}"
            rule += f" ({shortened(masked(str(error)), 100).rstrip('.')})"
            if isinstance(error, ImportError):
                raise MissingDependencyError(f"{rule}: {_installed(url.partition('://')[0])}.") from None
            raise InvalidInputError(f"{rule}: use a protocol and options that fsspec knows.") from None
        return place

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> ObjectPlace:
        return ObjectPlace(f"{self.url}/{name}", self.options)

    def __getstate__(self) -> dict[str, Any]:
        if self.url.startswith("memory:"):
            raise InvalidInputError(
                f"`store` must be a place that all processes reach, got {self.url!r}, which lives in this one: use "
                "`n_jobs=1`."
            )
        return dict(self.__dict__)

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rpartition("/")[2]

    def read(self, most: int | None = None) -> bytes:
        """Return the bytes of the object.

        Raises
        ------
        FileNotFoundError
            If there is none.
        OSError
            If it has more than `most` bytes.
        OutputError
            If the store does not answer, or does not let it be read.
        """

        def got() -> bytes:
            system, path = self._system()
            if most is not None and (system.info(path)["size"] or 0) > most:
                raise OSError(errno.EINVAL, "too large")
            return bytes(system.cat_file(path))

        try:
            return _tried(got, _DELAYS)
        except FileNotFoundError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and not _passes(error) and not isinstance(error, PermissionError):
                raise
            raise OutputError(f"{self.url!r} cannot be read ({_reason(error)}): {_remedy(error)}.") from None

    def write(self, content: bytes | str, *, overwrite: bool = True) -> bool:
        """Put an object as a whole; return whether it now holds `content`, as `write_atomically` does.

        Without `overwrite` the store is asked to refuse where there is an object already, as S3, Google Cloud and Azure
        do; a store that knows no such condition is asked first, which leaves a moment for another process.

        Raises
        ------
        OutputError
            If it cannot be written, after some attempts.
        """
        data = content.encode() if isinstance(content, str) else content

        def put() -> bool:
            system, path = self._system()
            system.pipe_file(path, data)
            return True

        def create() -> bool:
            system, path = self._system()
            try:
                system.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
            except Exception as error:
                # What may pass is asked again with the condition: another process may come first meanwhile.
                unknown = _knows_no_condition(error)
                if not unknown and getattr(error, "errno", None) != errno.EINVAL:
                    raise
                system.invalidate_cache()
                if system.exists(path):
                    return False
                if not unknown:
                    raise
                system.pipe_file(path, data)
            return True

        try:
            return _tried(put if overwrite else create, _PATIENT if overwrite else _DELAYS, writing=overwrite)
        except Exception as error:
            raise OutputError(f"{self.url!r} cannot be written ({_reason(error)}): {_remedy(error)}.") from None

    def prove_writable(self, argument: str) -> None:
        """Put and remove a small object.

        Raises
        ------
        OutputError
            If that fails; an object that cannot be removed is no failure.
        """
        try:
            _tried((self / _PROOF)._put_proof, _DELAYS)
        except Exception as error:
            raise OutputError(
                f"`{argument}` must be a place that can be written to, got {self.url!r} ({_reason(error)}): "
                f"{_remedy(error)}."
            ) from None
        with contextlib.suppress(OSError):
            (self / _PROOF).remove()

    def entries(self, *, below: bool = False) -> dict[str, tuple[int, float | None]]:
        """Return size and time of the last change of the objects here, or of all `below`, by their names from here on.

        Raises
        ------
        OSError
            If they cannot be listed.
        """

        def listed() -> dict[str, tuple[int, float | None]]:
            system, path = self._system()
            system.invalidate_cache()
            try:
                found = list(system.find(path, detail=True).values()) if below else system.ls(path, detail=True)
            except FileNotFoundError:
                return {}
            top = path.rstrip("/") + "/"
            names = {str(entry["name"]).rstrip("/"): entry for entry in found}
            return {
                name.removeprefix(top): (int(entry.get("size") or 0), _when(entry))
                for name, entry in names.items()
                if name.startswith(top)
            }

        try:
            return _tried(listed, _DELAYS)
        except Exception as error:
            raise OSError(_number(error), _reason(error), self.url) from None

    def remove(self) -> None:
        """Remove the object, if it is there.

        Raises
        ------
        OSError
            If that fails.
        """
        system, path = self._system()
        try:
            with contextlib.suppress(FileNotFoundError):
                _tried(lambda: system.rm_file(path), _DELAYS)
        except Exception as error:
            raise OSError(_number(error), _reason(error), self.url) from None

    def _put_proof(self) -> None:
        system, path = self._system()
        system.pipe_file(path, b"moltheory was here\n")

    def _system(self) -> tuple[Any, str]:
        """Return the file system, which fsspec keeps, and the path in it."""
        from fsspec.core import url_to_fs

        system, path = url_to_fs(self.url, **self.options)
        return system, str(path)


def _tried(call: Callable[[], _Result], delays: tuple[float, ...], *, writing: bool = False) -> _Result:
    """Call, and call again after errors that may pass; `writing` counts a refusal as one, so that no work is lost."""
    for delay in delays:
        try:
            return call()
        except Exception as error:
            if not _passes(error) and not (writing and isinstance(error, PermissionError)):
                raise
        time.sleep(delay)
    return call()


def _passes(error: Exception) -> bool:
    """Whether an error may be gone at the next attempt; libraries raise errors of their own kinds for connections."""
    if isinstance(error, (*_LASTING, PermissionError, InvalidInputError, ImportError, ValueError, TypeError)):
        return False
    return not (isinstance(error, OSError) and error.errno in _LASTING_ERRNO)


def _knows_no_condition(error: Exception) -> bool:
    """Whether a store, or the library that speaks to it, refuses the condition that an object must be new."""
    unknown = isinstance(error, NotImplementedError | TypeError) or type(error).__name__ == "ParamValidationError"
    return unknown or (isinstance(error, OSError) and error.errno == errno.ENOSYS)


def _number(error: Exception) -> int:
    return (error.errno if isinstance(error, OSError) else None) or errno.ENETUNREACH


def _reason(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return shortened(masked(" ".join(text.split())), 160).rstrip(".")


def _remedy(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"check the credentials, and that they allow to read, write and list there; {_KEPT}"
    if _passes(error):
        return f"check the connection to it and run it again; {_KEPT}"
    return "use another place"


def _installed(protocol: str) -> str:
    """Return what to install for a protocol."""
    more = "" if protocol in ("s3", "s3a", "memory") else ", and the package that fsspec names"
    return f'run pip install "moltheory[cluster]"{more}'


def _secret(options: Mapping[str, Any]) -> str:
    """Return the name of an option that holds a credential, at any depth; empty if none does."""
    for name, value in options.items():
        if _SECRET.search(str(name)) and value:
            return str(name)
        if isinstance(value, Mapping) and (found := _secret(value)):
            return found
    return ""


def _when(entry: Mapping[str, Any]) -> float | None:
    """Return when an object was last written, in seconds of the epoch, by the names that file systems give it."""
    for name in ("LastModified", "mtime", "last_modified", "updated", "created"):
        found = entry.get(name)
        if isinstance(found, datetime):
            return found.timestamp()
        if isinstance(found, int | float):
            return float(found)
    return None
