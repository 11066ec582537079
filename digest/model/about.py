"""The program's own name, for version output and the User-Agent."""

from importlib.metadata import version

VERSION = version("paper-digest")
USER_AGENT = f"paper-digest/{VERSION} (self-hosted research digest)"
