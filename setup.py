"""Builds the package as pyproject.toml says, with a README whose links lead somewhere on PyPI too."""

import re

from setuptools import Distribution, setup

REPOSITORY = "moltheory/moltheory"
LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?:|#)([^)\s]+)\)")


def absolute(text, version):
    """Return a page of the repository with absolute links: to the tag of a release, else to the main branch."""
    branch = f"v{version}" if re.fullmatch(r"\d+\.\d+\.\d+", version) else "main"

    def replaced(match):
        picture, label, path = match.groups()
        host = "https://raw.githubusercontent.com" if picture else "https://github.com"
        middle = branch if picture else f"blob/{branch}"
        return f"{picture}{label}({host}/{REPOSITORY}/{middle}/{path})"

    return LINK.sub(replaced, text)


class WithLinks(Distribution):
    """A distribution whose description is read where the files of the repository are not."""

    def parse_config_files(self, *arguments, **options):
        """Read the configuration, after which the version and the description are known."""
        super().parse_config_files(*arguments, **options)
        text, version = self.metadata.long_description, self.metadata.version
        if text and version:
            self.metadata.long_description = absolute(text, version)


if __name__ == "__main__":
    setup(distclass=WithLinks)
