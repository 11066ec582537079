"""Make the two small JPEGs that are served of a picture. Whatever comes in is not trusted.

Only three formats are decoded, of which Pillow's readers are its oldest; pixels are bounded before
any is decoded; what goes out is written anew, without metadata, so that nothing of the file that
came in reaches a reader.
"""

import hashlib
import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from digest.model.pictures import HIGHEST, SMALL, WIDEST, EncodedPicture, PaperPicture

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 16_000_000  # 64 MB of memory when decoded
MOST_LARGE = 80 * 1024  # octets of a large form
MOST_SMALL = 12 * 1024  # and of a small one
_LONGEST_SHAPE = 3  # times as long as it is wide, or the reverse
_QUALITIES = (82, 72, 62, 52)
_SHRINKS = (1, 2, 4)

# Pillow checks the pixels that a file states when it is opened; it only warns up to twice as many.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class PictureError(ValueError):
    """A picture cannot be shown; the text says why."""


def encode(octets: bytes) -> EncodedPicture:
    """Encode the first frame of a PNG, JPEG or WebP anew, small. Raises PictureError."""
    try:
        picture = _decoded(octets)
        large, size = _jpeg(_fitting(picture), MOST_LARGE)
        small, _ = _jpeg(ImageOps.fit(picture, SMALL), MOST_SMALL)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(f"it is none of {', '.join(FORMATS)}") from None
    except Exception as error:  # a malformed file makes Pillow's readers raise nearly anything
        raise PictureError(f"it cannot be decoded: {error}") from error
    name = hashlib.sha256(large + small).hexdigest()[:32]
    return EncodedPicture(PaperPicture(name, *size), large, small)


def _decoded(octets: bytes) -> Image.Image:
    """Return the pixels, upright, on a white sheet that has none of the file's metadata."""
    with Image.open(BytesIO(octets), formats=FORMATS) as opened:
        width, height = opened.size
        if width < SMALL[0] or height < SMALL[1]:
            raise PictureError(f"it is too small: {width} x {height} pixels")
        if max(width, height) > _LONGEST_SHAPE * min(width, height):
            raise PictureError(f"it is too long for its width: {width} x {height} pixels")
        opened.draft("RGB", (WIDEST, HIGHEST))  # a JPEG is decoded at a fraction of its size
        upright = ImageOps.exif_transpose(opened)
        is_clear = upright.has_transparency_data
        layer = upright.convert("RGBA" if is_clear else "RGB")
    sheet = Image.new("RGB", layer.size, "white")
    sheet.paste(layer, mask=layer.getchannel("A") if is_clear else None)
    return sheet


def _fitting(picture: Image.Image) -> Image.Image:
    """Return the picture as large as it may be, in its own shape."""
    large = picture.copy()
    large.thumbnail((WIDEST, HIGHEST), Image.Resampling.LANCZOS)
    return large


def _jpeg(picture: Image.Image, most: int) -> tuple[bytes, tuple[int, int]]:
    """Return a JPEG of at most so many octets, the best that is, and its pixels."""
    for shrink in _SHRINKS:
        form = picture.reduce(shrink)
        for quality in _QUALITIES:
            out = BytesIO()
            form.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= most:
                return out.getvalue(), form.size
    raise PictureError(f"it does not fit into {most} octets")
