"""Pictures from outside: what is served of them, and which are refused."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digest.collect.picture_encoding import (
    MOST_LARGE,
    MOST_PIXELS,
    MOST_SMALL,
    PictureError,
    encode,
)
from digest.model.pictures import HIGHEST, SMALL, WIDEST
from tests.painting import drawn, file_of, opened

GOOD = file_of(drawn())


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, rows: bytes = b"") -> bytes:
    """A PNG that states a size, and has whatever rows."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def why_not(octets: bytes) -> str:
    with pytest.raises(PictureError) as refused:
        encode(octets)
    return str(refused.value)


# ---- what is served ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1200, 648), (3000, 1620), (400, 900), (300, 300), (240, 130)])
def test_two_small_jpegs_are_made(kind, size):
    made = encode(file_of(drawn(size), kind))
    large, small = opened(made.large), opened(made.small)
    assert (large.format, small.format) == ("JPEG", "JPEG")
    assert large.size == (made.told.width, made.told.height)
    assert large.width <= min(WIDEST, size[0])
    assert large.height <= min(HIGHEST, size[1])
    assert large.width / large.height == pytest.approx(size[0] / size[1], rel=0.02)
    assert small.size == SMALL
    assert len(made.large) <= MOST_LARGE
    assert len(made.small) <= MOST_SMALL


def test_noise_fits_as_well():
    made = encode(file_of(Image.effect_noise((1200, 648), 100).convert("RGB")))
    assert len(made.large) <= MOST_LARGE
    assert len(made.small) <= MOST_SMALL


def test_the_same_picture_has_the_same_name_and_another_one_another():
    assert encode(GOOD).told.name == encode(GOOD).told.name
    assert encode(GOOD).told.name != encode(file_of(drawn((1200, 650)))).told.name
    assert len(encode(GOOD).told.name) == 32


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
def test_every_kind_of_pixels_is_shown(mode):
    image = Image.new("I;16", (300, 200)) if mode == "I;16" else drawn((300, 200)).convert(mode)
    encode(file_of(image, "JPEG" if mode == "CMYK" else "PNG"))


def test_what_is_transparent_is_white():
    clear = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    assert opened(encode(file_of(clear)).large).getpixel((5, 5)) == (255, 255, 255)


def test_nothing_of_the_files_own_data_is_served():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    octets = file_of(drawn(), "JPEG", exif=exif, comment=b"by nobody")
    assert b"taken at home" in octets
    made = encode(octets)
    assert b"taken at home" not in made.large + made.small
    assert b"by nobody" not in made.large + made.small


def test_a_picture_that_lies_on_its_side_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    told = encode(file_of(drawn((1200, 648)), "JPEG", exif=exif)).told
    assert told.width < told.height


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_shown(kind):
    frames = [Image.new("RGB", (300, 200), colour) for colour in ("red", "lime", "blue")]
    octets = file_of(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    red, green, blue = opened(encode(octets).large).getpixel((9, 9))
    assert red > 200
    assert green < 60
    assert blue < 60


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><title>Not here</title>",
        file_of(drawn(), "GIF"),
        file_of(drawn(), "BMP"),
        file_of(drawn(), "TIFF"),
        file_of(drawn(), "ICO"),
        file_of(drawn(), "PDF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 300 200\n",
    ],
    ids=lambda octets: octets[:8],
)
def test_other_formats_are_refused(octets):
    assert why_not(octets) == "it is none of PNG, JPEG, WEBP"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_truncated_one_is_refused(kind, part):
    octets = file_of(Image.effect_noise((400, 300), 60).convert("RGB"), kind)
    assert why_not(octets[: int(len(octets) * part)])


@pytest.mark.parametrize("size", [(4001, 4001), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_one_of_too_many_pixels_is_refused_before_any_is_decoded(size):
    assert size[0] * size[1] > MOST_PIXELS
    assert "exceeds limit" in why_not(png(*size))


def test_a_bomb_is_refused():
    """A megabyte that would become a gigabyte, of which the size says nothing."""
    assert why_not(png(300, 200, rows=b"\x00" * 50))
    bomb = png(300, 200, rows=bytes(300 * 2**20))
    assert len(bomb) < 2**20
    encode(bomb)  # what is beyond the stated rows is not unpacked
    text = b"Comment\x00\x00" + zlib.compress(bytes(300 * 2**20), 9)
    with_text = png(300, 200, rows=bytes(901 * 200))
    at = with_text.index(b"IDAT") - 4
    assert "too large" in why_not(with_text[:at] + chunk(b"zTXt", text) + with_text[at:])


@pytest.mark.parametrize("size", [(1, 1), (239, 400), (400, 129), (3000, 300), (300, 1000)])
def test_what_cannot_be_shown_as_a_picture_is_refused(size):
    assert "it is too" in why_not(file_of(drawn(size)))


@given(st.binary(max_size=200), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"]))
def test_anything_whatever_is_refused(rest, beginning):
    assert why_not(beginning + rest)


@given(st.data())
def test_a_damaged_one_is_served_or_refused(data):
    octets = bytearray(file_of(drawn((300, 200)), data.draw(st.sampled_from(["PNG", "JPEG"]))))
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = encode(bytes(octets))
    except PictureError:
        return
    assert opened(made.small).size == SMALL
