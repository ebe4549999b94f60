"""Where a sample lies in its picture. Pure: sizes are width and height."""

from edge_common.contract import PictureInput
from edge_common.messages import Frame

Size = tuple[int, int]
Box = tuple[float, float, float, float]


def frame(full: Size, picture: Size, wanted: PictureInput) -> Frame:
    """What of a picture a sample shows.

    Args:
        full: The picture's size as it is stored.
        picture: Its size as it was decoded, which may be smaller.
        wanted: What it was prepared for.
    """
    box = _shown(picture, wanted)
    across, down = full[0] / picture[0], full[1] / picture[1]
    left, top, right, bottom = (round(edge * scale, 3) for edge, scale in zip(box, (across, down) * 2, strict=True))
    return Frame(width=full[0], height=full[1], box=(left, top, right, bottom))


def middle(picture: Size, size: Size) -> Box:
    """The largest box in the picture's middle that has the size's proportions."""
    scale = min(picture[0] / size[0], picture[1] / size[1])
    left = (picture[0] - size[0] * scale) / 2
    top = (picture[1] - size[1] * scale) / 2
    return (left, top, picture[0] - left, picture[1] - top)


def fitted(picture: Size, size: Size) -> tuple[Size, Size]:
    """The picture's size where it is as large as fits, and its upper left corner where it is in the middle then."""
    scale = min(size[0] / picture[0], size[1] / picture[1])
    inner = (max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale)))
    return inner, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)


def whole(picture: Size) -> Box:
    """All of it."""
    return (0.0, 0.0, float(picture[0]), float(picture[1]))


def _shown(picture: Size, wanted: PictureInput) -> Box:
    size = (wanted.width, wanted.height)
    match wanted.resize:
        case "stretch":
            return whole(picture)
        case "crop":
            return middle(picture, size)
        case "letterbox":
            inner, corner = fitted(picture, size)
            across, down = picture[0] / inner[0], picture[1] / inner[1]
            left, top = -corner[0] * across, -corner[1] * down
            return (left, top, left + size[0] * across, top + size[1] * down)
