"""The square that stage 2 sees of a candidate. The gateway cuts it in the same way; keep the two alike.

Its side is CROP_SCALE times the geometric mean of the box's sides, its centre the box's. Each of the
48 x 48 cells is the mean of n x n bilinear samples spread evenly inside it, n = round(side / 48), at
least 1; what lies outside of the picture is as cold as the window goes.
"""

import cv2
import numpy as np

from data import T_MIN, normalise
from net import CROP

CROP_SCALE = 1.6


def square(box):
    """-> centre x, centre y, side, in pixels."""
    w, h = box[2] - box[0], box[3] - box[1]
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, CROP_SCALE * float(np.sqrt(max(w * h, 1.0)))


def cut(t, box):
    """The square about `box` of a picture in deg C -> [48, 48], as stage 2 sees it."""
    cx, cy, side = square(box)
    n = max(1, int(side / CROP + 0.5))
    at = (np.arange(CROP * n, dtype=np.float32) + 0.5) / (CROP * n) - 0.5
    x, y = cx + at * side, cy + at * side
    # In OpenCV the centre of the first pixel is 0.
    map_x = np.broadcast_to((x - 0.5).astype(np.float32), (len(y), len(x)))
    map_y = np.broadcast_to((y - 0.5).astype(np.float32)[:, None], (len(y), len(x)))
    s = cv2.remap(t, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    h, w = t.shape
    s[(y < 0) | (y >= h)] = T_MIN
    s[:, (x < 0) | (x >= w)] = T_MIN
    if n > 1:
        s = s.reshape(CROP, n, CROP, n).mean((1, 3))
    return normalise(s)


def to_crop(points, box):
    """Pixels -> fractions of the side from the centre. [n, 2]"""
    cx, cy, side = square(box)
    return ((points - (cx, cy)) / side).astype(np.float32)


def to_picture(points, box):
    """The inverse of `to_crop`."""
    cx, cy, side = square(box)
    return points * side + (cx, cy)
