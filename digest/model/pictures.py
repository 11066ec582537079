"""Pictures of papers, as this installation stores and serves them."""

from dataclasses import dataclass

SMALL = (240, 130)  # pixels of the small form
WIDEST, HIGHEST = 1104, 596  # pixels of the large form, at most


@dataclass(frozen=True, slots=True)
class PaperPicture:
    """A stored picture of a paper: its name, and the pixels of its large form.

    There is a small form of SMALL pixels as well. The name changes with the picture, so that
    whoever has an address may keep what it gave for ever.
    """

    name: str
    width: int
    height: int

    @property
    def large(self) -> str:
        """Return the path of the large form."""
        return f"/picture/{self.name}.jpg"

    @property
    def small(self) -> str:
        """Return the path of the small form."""
        return f"/picture/{self.name}-small.jpg"

    def shown(self, width: int) -> tuple[int, int]:
        """Return the size at which the large form is shown where ``width`` pixels are free."""
        scale = min(1.0, width / self.width, width * HIGHEST / WIDEST / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as it is served: two JPEGs, and what is told of them."""

    told: PaperPicture
    large: bytes
    small: bytes


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """A picture that is to be fetched: for the paper of this number, at this address."""

    paper_id: int
    url: str
