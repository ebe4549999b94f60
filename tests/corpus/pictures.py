"""Pictures: odd ones that are right, and broken, lying and exploding ones."""

import struct
import zlib
from functools import partial

import numpy as np
from PIL import Image, ImageCms

from corpus.cases import bad, fine, unsupported
from corpus.draw import chunk, deflated_zeros, encoded, exif, half, jpeg, picture, png, png_of, tiff

SIDE = 30_000
SHORT, LONG = 3, 4
"""Types of a TIFF's fields."""
STRIP = 273
"""The tag that says where the pixels are."""


def turned(orientation: int) -> bytes:
    return jpeg(exif=exif(orientation))


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def frames(count: int) -> list[Image.Image]:
    return [picture().rotate(90 * number) for number in range(count)]


def sixteen_bits(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 65536, (32, 48), dtype=np.uint16)
    return encoded(Image.fromarray(pixels), kind)


def animated(kind: str) -> bytes:
    first, *others = frames(3)
    return encoded(first, kind, save_all=True, append_images=others, duration=40)


def pages(*parts: bytes) -> bytes:
    """TIFFs of one page as one of several: what points somewhere is moved, and each directory leads to the next."""
    content = bytearray()
    link = 0
    for part in parts:
        begin = len(content)
        directory = struct.unpack_from("<I", part, 4)[0]
        content += part
        for entry in range(struct.unpack_from("<H", part, directory)[0]):
            at = begin + directory + 2 + 12 * entry
            if struct.unpack_from("<H", content, at)[0] == STRIP:
                struct.pack_into("<I", content, at + 8, struct.unpack_from("<I", content, at + 8)[0] + begin)
        if link:
            struct.pack_into("<I", content, link, begin + directory)
        link = len(content) - 4
    return bytes(content)


def two_sizes() -> bytes:
    return pages(tiff_of(8, 8, 8, 64), tiff_of(4, 16, 8, 64))


def page_and_copy() -> bytes:
    """The second directory says of itself that it is a smaller copy."""
    return pages(tiff_of(8, 8, 8, 64), tiff_of(4, 4, 8, 16, subfile=1))


def bad_page() -> bytes:
    return pages(tiff_of(8, 8, 8, 64), tiff_of(8, 8, 1 << 30, 64), tiff_of(8, 8, 8, 64))


def large_page() -> bytes:
    return pages(tiff_of(8, 8, 8, 64), tiff_of(1 << 20, 1 << 20, 8, 64))


def frames_missing() -> bytes:
    """Ends between two frames: right, as far as it goes."""
    content = animated("GIF")
    return content[: content.rindex(b"!\xf9\x04")]


def two_thirds(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def palette_with_alpha() -> bytes:
    return encoded(picture().quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))


def lying_png() -> bytes:
    """Says that it is larger than its data."""
    return png_of(4000, 4000, zlib.compress(bytes(100)))


def chunky_png() -> bytes:
    """Has its data behind very many empty pieces."""
    return png_of(8, 8, zlib.compress(bytes(2 * 8)), chunk(b"tEXt", b"k\0v") * 20_000)


def text_bomb() -> bytes:
    """Carries a comment of 128 MB."""
    return png_of(8, 8, zlib.compress(bytes(2 * 8)), chunk(b"zTXt", b"k\0\0" + deflated_zeros(1 << 27)))


def wrong_checksum() -> bytes:
    content = bytearray(png())
    content[29] ^= 0xFF
    return bytes(content)


def scan_bomb() -> bytes:
    content = jpeg(progressive=True)
    start = content.rindex(b"\xff\xda")
    return content[:start] + content[start:-2] * 200 + content[-2:]


def tiff_of(width: int, height: int, strip: int, size: int, following: int = 0, subfile: int = 0) -> bytes:
    """A TIFF of 8 bits, whose strip is said to be there and so large."""
    entries = (
        (254, LONG, 1, subfile),
        (256, LONG, 1, width),
        (257, LONG, 1, height),
        (258, SHORT, 1, 8),
        (259, SHORT, 1, 1),
        (262, SHORT, 1, 1),
        (STRIP, LONG, 1, strip),
        (278, LONG, 1, height),
        (279, LONG, 1, size),
    )
    return tiff(*entries, data=bytes(range(64)), following=following)


def endless_tiff() -> bytes:
    """Its only directory says that it is followed by itself."""
    return tiff_of(8, 8, 8, 64, following=8 + 64)


def many_tags() -> bytes:
    return tiff(*((number, LONG, 0xFFFFFFFF, 8) for number in range(300, 1300)), data=bytes(64))


def bmp_of(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + header + bytes(64)


def jpeg_and_zip() -> bytes:
    """What is a picture from its start, and an archive from its end."""
    return jpeg() + b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18)


def gif_and_script() -> bytes:
    return b"GIF89a/*" + bytes(100) + b"*/=1;alert(1)"


def png_and_html() -> bytes:
    return png() + b"<html><script>alert(1)</script></html>"


def pdf_and_jpeg() -> bytes:
    return b"%PDF-1.7\n1 0 obj << /Length 9 >> stream\n" + jpeg()


PICTURES = (
    *(fine(f"pictures/turned-{turn}.jpg", partial(turned, turn)) for turn in (*range(1, 9), 77)),
    fine("pictures/damaged-exif.jpg", lambda: jpeg(exif=b"Exif\0\0II*\0\xff\xff\xff\xff")),
    fine("pictures/cmyk.jpg", lambda: encoded(picture("CMYK"), "JPEG")),
    fine("pictures/cmyk.tiff", lambda: encoded(picture("CMYK"), "TIFF")),
    fine("pictures/lab.tiff", lambda: encoded(picture("LAB"), "TIFF")),
    fine("pictures/16-bit.png", lambda: sixteen_bits("PNG")),
    fine("pictures/16-bit.tiff", lambda: sixteen_bits("TIFF")),
    fine("pictures/1-bit.png", lambda: encoded(picture("1"), "PNG")),
    fine("pictures/1-bit-fax.tiff", lambda: encoded(picture("1"), "TIFF", compression="group4")),
    fine("pictures/grey-alpha.png", lambda: encoded(picture("LA"), "PNG")),
    fine("pictures/palette-alpha.png", palette_with_alpha),
    fine("pictures/palette.bmp", lambda: encoded(picture("P"), "BMP")),
    fine("pictures/profile.jpg", lambda: jpeg(icc_profile=profile())),
    fine("pictures/profile-garbage.png", lambda: png(icc_profile=b"no profile at all")),
    fine("pictures/progressive.jpg", lambda: jpeg(progressive=True)),
    fine("pictures/animated.webp", lambda: animated("WEBP"), 3),
    fine("pictures/animated.png", lambda: animated("PNG"), 3),
    fine("pictures/pages.tiff", lambda: animated("TIFF"), 3),
    fine("pictures/animated.gif", lambda: animated("GIF"), 3),
    fine("pictures/pages-of-two-sizes.tiff", two_sizes, 2),
    fine("pictures/page-and-its-copy.tiff", page_and_copy),
    fine("pictures/grey.gif", lambda: encoded(picture("L"), "GIF")),
    fine("pictures/one-pixel.png", lambda: encoded(picture(width=1, height=1), "PNG")),
    fine("pictures/line.png", lambda: encoded(picture(width=20_000, height=1), "PNG")),
    fine("pictures/many-chunks.png", chunky_png),
    fine("pictures/no-name", jpeg),
    fine("pictures/jpeg-in-disguise.png", jpeg),
    fine("pictures/polyglot-zip.jpg", jpeg_and_zip),
    fine("pictures/polyglot-html.png", png_and_html),
    fine("pictures/endless-directories.tiff", endless_tiff),
    unsupported("pictures/polyglot-jpeg.pdf", "application/pdf", pdf_and_jpeg),
    unsupported("pictures/photo.avif", "image/heif", lambda: encoded(picture(), "AVIF")),
    unsupported("pictures/photo.jp2", "image/jp2", lambda: encoded(picture(), "JPEG2000")),
    unsupported("pictures/icon.ico", "image/x-icon", lambda: encoded(picture(), "ICO")),
    bad("pictures/32-bit.tiff", "UNSUPPORTED", lambda: encoded(picture("L").convert("I"), "TIFF")),
    bad("pictures/float.tiff", "UNSUPPORTED", lambda: encoded(picture("L").convert("F"), "TIFF")),
    bad("pictures/half.jpg", "DECODE_FAILED", lambda: half(jpeg())),
    bad("pictures/half.png", "DECODE_FAILED", lambda: half(png())),
    bad("pictures/half.bmp", "DECODE_FAILED", lambda: half(encoded(picture(), "BMP"))),
    bad("pictures/half.webp", "DECODE_FAILED", lambda: half(encoded(picture(), "WEBP"))),
    bad("pictures/half.tiff", "DECODE_FAILED", lambda: half(encoded(picture(), "TIFF"))),
    bad("pictures/half-packed.tiff", "DECODE_FAILED", lambda: half(encoded(picture(), "TIFF", compression="tiff_lzw"))),
    bad("pictures/signature-only.jpg", "DECODE_FAILED", lambda: b"\xff\xd8\xff"),
    bad("pictures/signature-only.png", "DECODE_FAILED", lambda: png()[:8]),
    bad("pictures/signature-only.webp", "DECODE_FAILED", lambda: b"RIFF\0\0\0\0WEBP"),
    bad("pictures/half.gif", "DECODE_FAILED", lambda: half(animated("GIF"))),
    bad("pictures/half-animated.webp", "DECODE_FAILED", lambda: half(animated("WEBP"))),
    bad("pictures/frames-missing.gif", "DECODE_FAILED", frames_missing),
    bad("pictures/frames-missing.png", "BAD_PAGE", lambda: two_thirds(animated("PNG"))),
    bad("pictures/bad-page.tiff", "BAD_PAGE", bad_page),
    bad("pictures/large-page.tiff", "TOO_MANY_PIXELS", large_page),
    bad("pictures/polyglot-script.gif", "DECODE_FAILED", gif_and_script),
    bad("pictures/checksum.png", "DECODE_FAILED", wrong_checksum),
    bad("pictures/short-data.png", "DECODE_FAILED", lying_png),
    bad("pictures/no-pixels.png", "DECODE_FAILED", lambda: png_of(0, 0, zlib.compress(b""))),
    bad("pictures/strip-elsewhere.tiff", "DECODE_FAILED", lambda: tiff_of(8, 8, 1 << 31, 64)),
    bad("pictures/strip-too-long.tiff", "DECODE_FAILED", lambda: tiff_of(4000, 4000, 8, 1 << 31)),
    bad("pictures/many-tags.tiff", "DECODE_FAILED", many_tags),
    bad("pictures/no-directory.tiff", "DECODE_FAILED", lambda: b"II*\0\xff\xff\xff\x7f"),
    bad("pictures/scan-bomb.jpg", "DECODE_FAILED", scan_bomb),
    bad("pictures/text-bomb.png", "DECODE_FAILED", text_bomb),
    bad("pictures/bomb.png", "TOO_MANY_PIXELS", lambda: png_of(SIDE, SIDE, deflated_zeros(SIDE * (SIDE // 8 + 1)))),
    bad("pictures/lie.bmp", "TOO_MANY_PIXELS", lambda: bmp_of(1 << 30, 1 << 30)),
    bad("pictures/lie.tiff", "TOO_MANY_PIXELS", lambda: tiff_of(1 << 20, 1 << 20, 8, 64)),
    bad("pictures/empty.png", "EMPTY", lambda: b""),
)
