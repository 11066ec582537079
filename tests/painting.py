"""Pictures drawn for tests, as files in the formats that come from outside."""

from io import BytesIO

from PIL import Image, ImageDraw


def drawn(size: tuple[int, int] = (1200, 648), mode: str = "RGB") -> Image.Image:
    """A red field with a blue square in its upper left corner."""
    image = Image.new(mode, size, "#cc2222" if mode in ("RGB", "RGBA") else 90)
    corner = (0, 0, size[0] // 4, size[1] // 4)
    ImageDraw.Draw(image).rectangle(corner, "#2222cc" if mode in ("RGB", "RGBA") else 200)
    return image


def file_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(octets: bytes) -> Image.Image:
    image = Image.open(BytesIO(octets))
    image.load()
    return image
