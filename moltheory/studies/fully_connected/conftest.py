"""Examples that need torch are collected where it is installed only; the tests say why they are skipped."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["*.py"]
