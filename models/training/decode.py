"""From the two maps to candidates. The gateway decodes in the same way; keep the two alike."""

import numpy as np

from net import STRIDE

NMS_IOU = 0.4


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    inter = w * h
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


def decode(heat, box, threshold):
    """Maps of one picture, [1, h, w], [4, h, w] -> [(score, box)], best first."""
    heat = heat[0]
    h, w = heat.shape
    edge = np.pad(heat, 1)
    around = np.max([edge[dy : dy + h, dx : dx + w] for dy in range(3) for dx in range(3)], axis=0)
    found = []
    for j, i in zip(*np.nonzero((heat >= threshold) & (heat >= around))):
        x, y = (i + 0.5) * STRIDE, (j + 0.5) * STRIDE
        l, t, r, b = box[:, j, i]
        found.append((float(heat[j, i]), np.array([x - l, y - t, x + r, y + b])))
    return best(found)


def best(found):
    """Of overlapping ones the better one; each is a tuple that starts with score and box."""
    kept = []
    for d in sorted(found, key=lambda d: -d[0]):
        if all(iou(d[1], k[1]) <= NMS_IOU for k in kept):
            kept.append(d)
    return kept
