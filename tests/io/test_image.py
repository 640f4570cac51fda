"""Whatever a camera, phone or program writes is read as its viewer shows it, or refused in one line."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import UInt8
from PIL import Image, ImageCms

from farm3d.errors import InputError, MissingDependencyError
from farm3d.io.image import encode_png, read_image, read_mask, write_jpeg, write_png

ORIENTATION, GPS = 0x0112, 0x8825


def picture(height: int = 40, width: int = 60) -> UInt8[np.ndarray, "height width 3"]:
    """A smooth picture with no symmetry."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = (rows * 255 // height, columns * 255 // width, (rows + columns) * 255 // (height + width))
    return np.stack(channels, axis=-1).astype(np.uint8)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm", "gif", "jp2"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    pixels = np.array(Image.fromarray(picture()).quantize(200).convert("RGB"))
    source = read_image(save(tmp_path / f"horse.{suffix}", Image.fromarray(pixels)))
    assert source.stem == "horse"
    assert source.alpha is None
    np.testing.assert_array_equal(source.pixels, pixels)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif"])
def test_lossy_formats_keep_the_picture(tmp_path: Path, suffix: str) -> None:
    source = read_image(save(tmp_path / f"horse.{suffix}", Image.fromarray(picture()), quality=95))
    assert np.abs(source.pixels.astype(int) - picture()).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    turns = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation](picture())))
    path = save(tmp_path / "turned.png", stored, exif=exif)
    np.testing.assert_array_equal(read_image(path).pixels, picture())


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"]
)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    gray = picture()[..., 2]
    if mode in ("I;16", "I"):
        image = Image.fromarray(gray.astype(np.uint16) * 257)
        image = image if mode == "I;16" else image.convert("I")
    elif mode == "F":
        image = Image.fromarray(gray.astype(np.float32) / 255)
    else:
        image = Image.fromarray(gray).convert("RGB" if mode == "YCbCr" else "L").convert(mode)
    # Pillow 12 writes YCbCr without compression in a way that it cannot read.
    options = {"compression": "tiff_adobe_deflate"} if mode == "YCbCr" else {}
    source = read_image(
        save(tmp_path / "gray.tif", image, **options) if mode != "PA" else save_palette_alpha(tmp_path, gray)
    )
    assert source.alpha is None
    tolerance = 255 if mode == "1" else 3
    assert np.abs(source.pixels.astype(int) - gray[..., None]).max() <= tolerance


def save_palette_alpha(folder: Path, gray: UInt8[np.ndarray, "height width"]) -> Path:
    return save(folder / "gray.png", Image.fromarray(gray).convert("P"), transparency=bytes([255] * 256))


def test_sixteen_bit_pictures_keep_their_brightness(tmp_path: Path) -> None:
    dark = np.full((40, 40), 20 * 257, dtype=np.uint16)
    assert set(read_image(save(tmp_path / "dark.png", Image.fromarray(dark))).pixels.ravel()) == {20}


def test_alpha_is_kept_and_what_it_hides_is_white(tmp_path: Path) -> None:
    alpha = np.zeros((40, 60), dtype=np.uint8)
    alpha[10:30, 20:40] = 255
    alpha[10, 20:40] = 100
    source = read_image(save(tmp_path / "cut.png", Image.fromarray(np.dstack([picture(), alpha]))))
    assert source.alpha is not None
    np.testing.assert_array_equal(source.alpha, alpha)
    np.testing.assert_array_equal(source.pixels[alpha > 0], picture()[alpha > 0])
    assert (source.pixels[alpha == 0] == 255).all()


def test_a_transparent_colour_and_a_transparent_palette_entry_are_alpha(tmp_path: Path) -> None:
    pixels = np.full((40, 40, 3), 90, dtype=np.uint8)
    pixels[:20] = (200, 10, 10)
    keyed = read_image(save(tmp_path / "a.png", Image.fromarray(pixels), transparency=(200, 10, 10)))
    palette = Image.fromarray(pixels).quantize(4)
    hidden = palette.getpixel((0, 0))
    indexed = read_image(save(tmp_path / "b.png", palette, transparency=hidden))
    for source in (keyed, indexed):
        assert source.alpha is not None
        assert (source.alpha[:20] == 0).all() and (source.alpha[20:] == 255).all()


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_frame_of_an_animation_is_read(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.full((40, 40, 3), value, dtype=np.uint8)) for value in (30, 200)]
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:], **options)
    assert (read_image(path).pixels == 30).all()


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    """LAB -> sRGB by a profile is not the identity: a swapped-primaries profile turns red into green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_place, green_place = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red_place : red_place + 4], swapped[green_place : green_place + 4] = b"gXYZ", b"rXYZ"
    red = Image.fromarray(np.full((40, 40, 3), (255, 0, 0), dtype=np.uint8))
    source = read_image(save(tmp_path / "a.png", red, icc_profile=bytes(swapped)))
    assert source.pixels[0, 0].argmax() == 1


def test_a_damaged_colour_profile_or_exif_block_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a.jpg", Image.fromarray(picture()), icc_profile=b"junk" * 50, exif=b"Exif\0\0junk"
    )
    assert read_image(path).pixels.shape == (40, 60, 3)


def test_heic_is_read_where_the_library_is_there(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    path = save(tmp_path / "phone.heic", Image.fromarray(picture(64, 96)), quality=95)
    source = read_image(path)
    assert np.abs(source.pixels.astype(int) - picture(64, 96)).mean() < 6


def test_heic_without_the_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (tmp_path / "phone.heic").write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(100))
    with pytest.raises(MissingDependencyError, match=r"phone\.heic.*pip install 'farm3d\[heic\]'"):
        read_image(tmp_path / "phone.heic")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and has hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_001, 10_000), (65_000, 2_000)])
def test_a_huge_header_is_refused_before_decoding(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "huge.png").write_bytes(png_header(width, height))
    assert "megapixels" in refusal(tmp_path / "huge.png")


@pytest.mark.parametrize("size", [(1, 1), (31, 500), (500, 31)])
def test_a_tiny_picture_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    assert "too small" in refusal(save(tmp_path / "tiny.png", Image.new("RGB", size)))


def test_what_is_no_picture_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    assert "empty" in refusal(tmp_path / "empty.jpg")
    (tmp_path / "text.jpg").write_text("this is no picture at all\n" * 10)
    assert "not an image" in refusal(tmp_path / "text.jpg")
    assert "No such file" in refusal(tmp_path / "missing.jpg")
    (tmp_path / "folder").mkdir()
    assert "folder" in refusal(tmp_path / "folder")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tif", "bmp"])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = save(tmp_path / f"whole.{suffix}", Image.fromarray(noise)).read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole[: len(whole) // 2])
    refusal(cut)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp", "ppm", "jp2", "avif"])
def test_random_damage_is_read_or_refused_but_never_a_crash(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(1)
    whole = save(tmp_path / f"whole.{suffix}", Image.fromarray(picture())).read_bytes()
    for _ in range(100):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), size=5):
            damaged[place] = rng.integers(256)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            read_image(tmp_path / "damaged")
        except InputError as error:
            assert "\n" not in str(error)


def test_what_is_written_holds_pixels_only(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "camera"
    exif.get_ifd(GPS)[1] = "N"
    source = read_image(save(tmp_path / "a.jpg", Image.fromarray(picture()), exif=exif, comment=b"secret"))
    write_png(tmp_path / "b.png", source.pixels)
    write_jpeg(tmp_path / "b.jpg", source.pixels)
    for path in (tmp_path / "b.png", tmp_path / "b.jpg"):
        with Image.open(path) as image:
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, source.pixels)
    assert encode_png(source.pixels) == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("foreground", [1, 60, 255])
def test_a_mask_may_use_any_two_brightnesses(tmp_path: Path, foreground: int) -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:20, 10:30] = True
    write_png(tmp_path / "mask.png", mask.astype(np.uint8) * np.uint8(foreground))
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), mask)


def test_a_black_mask_is_empty(tmp_path: Path) -> None:
    write_png(tmp_path / "mask.png", np.zeros((40, 60), dtype=np.uint8))
    assert not read_mask(tmp_path / "mask.png").any()


def test_an_unwritable_place_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        write_png(tmp_path / "file" / "a.png", picture())


def test_png_bytes_are_read_back_by_another_reader() -> None:
    with Image.open(io.BytesIO(encode_png(picture()))) as image:
        np.testing.assert_array_equal(np.array(image), picture())
