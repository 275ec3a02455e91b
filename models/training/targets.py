"""From labels to what the network should answer, and how wrong it was."""

import numpy as np
import torch
import torch.nn.functional as F

from net import BOX_UNIT, POINT_UNIT, STRIDE

# Cells whose heat target is above this also learn box and points.
NEAR = 0.4


def make_targets(faces, ignore, size):
    """-> heat [1, h, w], heat weight [1, h, w], regression [14, h, w], weights of box and points [2, h, w]."""
    h, w = size[0] // STRIDE, size[1] // STRIDE
    heat = np.zeros((1, h, w), np.float32)
    care = np.ones((1, h, w), np.float32)
    regression = np.zeros((14, h, w), np.float32)
    weight = np.zeros((2, h, w), np.float32)
    ys, xs = (np.mgrid[:h, :w] + 0.5) * STRIDE
    for b in ignore:
        care[0, (xs > b[0] - 2) & (xs < b[2] + 2) & (ys > b[1] - 2) & (ys < b[3] + 2)] = 0
    for f in faces:
        x0, y0, x1, y1 = f.box
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        i, j = int(cx // STRIDE), int(cy // STRIDE)
        if not (0 <= i < w and 0 <= j < h):
            continue
        sx, sy = max(2.8, 0.11 * (x1 - x0)), max(2.8, 0.11 * (y1 - y0))
        g = np.exp(-0.5 * (((xs - xs[j, i]) / sx) ** 2 + ((ys - ys[j, i]) / sy) ** 2)).astype(np.float32)
        own = (g > NEAR) & (g > heat[0])
        heat[0] = np.maximum(heat[0], g)
        care[0, own] = 1
        regression[:4, own] = np.stack([xs - x0, ys - y0, x1 - xs, y1 - ys])[:, own]
        weight[0, own] = g[own]
        weight[1, own] = 0
        if f.points is not None:
            regression[4:, own] = (f.points.reshape(10, 1, 1) - np.stack([xs, ys] * 5))[:, own]
            # Points in fractions of the face, whatever its size.
            weight[1, own] = g[own] * 24.0 / (x1 - x0)
    return heat, care, regression, weight


def loss(raw, heat, care, regression, weight):
    """Focal loss on the centres, GIoU on the boxes, L1 on the points."""
    logit, box, points = (t.float() for t in raw)
    p = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    peak = (heat == 1).float()
    up = -torch.log(p) * (1 - p) ** 2 * peak
    down = -torch.log(1 - p) * p**2 * (1 - heat) ** 4 * (1 - peak) * care
    faces = peak.sum().clamp(min=1)
    l_heat = (up + down).sum() / faces

    wb = weight[:, :1]
    l_box = (giou(torch.exp(box.clamp(max=4)) * BOX_UNIT, regression[:, :4].clamp(min=0.5)) * wb).sum() / wb.sum().clamp(min=1)
    wp = weight[:, 1:]
    miss = F.smooth_l1_loss(points * POINT_UNIT, regression[:, 4:], reduction="none", beta=0.5)
    l_points = (miss * wp).sum() / (10 * wp.sum().clamp(min=1))
    return l_heat + 2.0 * l_box + 1.0 * l_points, (l_heat.item(), l_box.item(), l_points.item())


def giou(a, b):
    """1 - GIoU of boxes given as distances from a common cell centre."""
    inter = (torch.min(a[:, 0:1], b[:, 0:1]) + torch.min(a[:, 2:3], b[:, 2:3])) * (
        torch.min(a[:, 1:2], b[:, 1:2]) + torch.min(a[:, 3:4], b[:, 3:4])
    )
    hull = (torch.max(a[:, 0:1], b[:, 0:1]) + torch.max(a[:, 2:3], b[:, 2:3])) * (
        torch.max(a[:, 1:2], b[:, 1:2]) + torch.max(a[:, 3:4], b[:, 3:4])
    )

    def area(d):
        return (d[:, 0:1] + d[:, 2:3]) * (d[:, 1:2] + d[:, 3:4])

    union = area(a) + area(b) - inter
    return 1 - inter / union + (hull - union) / hull
