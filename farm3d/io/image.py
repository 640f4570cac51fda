"""Image files in and out: any common format and mode to sRGB pixels; what is written holds pixels only."""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from farm3d.errors import InputError, MissingDependencyError
from farm3d.io.atomic import write_bytes_atomically

MAX_PIXELS = 100_000_000
MIN_SIDE = 32
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")
"""What is read: PIL also knows formats that run other programs (EPS) or are no pictures."""

Pixels = UInt8[np.ndarray, "height width 3"]
Gray = UInt8[np.ndarray, "height width"]

_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What PIL's decoders raise on damaged files, found by feeding them such files."""


@dataclass(frozen=True)
class SourceImage:
    """A photograph as its viewer shows it: sRGB pixels after EXIF rotation, and alpha if any is not 255."""

    pixels: Pixels
    alpha: Gray | None
    stem: str


def read_image(path: Path | str) -> SourceImage:
    """Read the first frame of an image file, upright, in sRGB.

    EXIF rotation and an ICC profile are applied and then forgotten; fully transparent pixels are white.
    Raises InputError for what is not a whole image of 32 px a side to 100 megapixels, and
    MissingDependencyError for HEIC without pillow-heif.
    """
    image = _decode(Path(path))
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.array(image.getchannel("A"))
    pixels = np.array(_to_srgb(image, Path(path)))
    if alpha is None or alpha.min() == 255:
        return SourceImage(pixels, None, Path(path).stem)
    pixels[alpha == 0] = 255
    return SourceImage(pixels, alpha, Path(path).stem)


def read_mask(path: Path | str) -> Bool[np.ndarray, "height width"]:
    """Read a mask file: true where the image is brighter than half of its brightest pixel.

    So 0/255, 0/1 and coloured masks all read as meant. Raises what `read_image` raises.
    """
    gray = np.array(_to_srgb(_decode(Path(path)), Path(path)).convert("L"))
    return gray > gray.max() / 2


def write_png(path: Path | str, pixels: Pixels | Gray | UInt8[np.ndarray, "height width 4"]) -> None:
    """Write a grey, RGB or RGBA picture as PNG. Raises InputError where it cannot be written."""
    write_bytes_atomically(path, encode_png(pixels))


def write_jpeg(path: Path | str, pixels: Pixels | Gray, *, quality: int = 92) -> None:
    """Write a grey or RGB picture as JPEG. Raises InputError where it cannot be written."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    write_bytes_atomically(path, buffer.getvalue())


def encode_png(pixels: Pixels | Gray | UInt8[np.ndarray, "height width 4"]) -> bytes:
    """The bytes of a PNG file: equal pixels give equal bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _decode(path: Path) -> Image.Image:
    """The first frame, decoded and upright; its size is checked before anything is decoded."""
    header = _read_header(path)
    formats = _formats_for(header, path)
    try:
        with warnings.catch_warnings():
            # Size is checked here, and a broken EXIF block is no reason to refuse the picture.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=formats) as image:
                _check_size(image.size, path)
                image.load()
                return _upright(image)
    except Image.DecompressionBombError:
        raise InputError(f"{path}: more than {MAX_PIXELS // 10**6} megapixels; make it smaller") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: not an image that farm3d reads; give a JPEG, PNG, WebP or TIFF") from None
    except _DAMAGED as error:
        raise InputError(
            f"{path}: damaged or truncated image ({error}); save it again or copy it anew"
        ) from None


def _read_header(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"{path}: a folder with no images in it")
    try:
        with path.open("rb") as file:
            header = file.read(32)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if not header:
        raise InputError(f"{path}: the file is empty")
    return header


def _formats_for(header: bytes, path: Path) -> tuple[str, ...]:
    """The formats to try; phones' HEIC files need a library that is an extra."""
    if header[4:8] != b"ftyp" or header[8:12] not in (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"):
        Image.init()
        return tuple(name for name in FORMATS if name in Image.OPEN)
    try:
        import pillow_heif
    except ImportError:
        raise MissingDependencyError(
            f"{path}: a HEIC photograph needs pillow-heif (pip install 'farm3d[heic]'), or save it as JPEG"
        ) from None
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def _check_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path}: {width} x {height} is more than {MAX_PIXELS // 10**6} megapixels; make it smaller"
        )
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{path}: {width} x {height} pixels is too small; give at least {MIN_SIDE} a side")


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF orientation says; as it is where the EXIF block is damaged."""
    try:
        return ImageOps.exif_transpose(image) or image
    except _DAMAGED:
        return image.copy()


def _to_srgb(image: Image.Image, path: Path) -> Image.Image:
    """RGB pixels in sRGB: wide grey scaled to 8 bits, an ICC profile applied, alpha dropped."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    plain = image if image.mode in ("RGB", "CMYK", "L") else _convert(image, path)
    return _apply_profile(plain, image.info.get("icc_profile")) or _convert(plain, path)


def _apply_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """The image in sRGB; `None` where there is no profile, or a damaged one or one of other colours."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _convert(image: Image.Image, path: Path) -> Image.Image:
    try:
        return image.convert("RGB")
    except ValueError:
        raise InputError(
            f"{path}: colour mode {image.mode} is not read; save it as an sRGB PNG or JPEG"
        ) from None


def _eight_bits(image: Image.Image) -> Gray:
    """Grey of more than 8 bits: 16-bit modes by their range, 32-bit ones by the range that holds them."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
    if image.mode.startswith("I;16"):
        full_scale = 65535.0
    else:
        scales = (255.0, 65535.0) if image.mode == "I" else (1.0, 255.0, 65535.0)
        full_scale = next((scale for scale in scales if values.max() <= scale), values.max())
    return np.clip(np.round(values * (255.0 / full_scale)), 0, 255).astype(np.uint8)
