"""A small typed project that uses the package; checked by mypy and pyright against the wheel, in tests/wheel.py."""
