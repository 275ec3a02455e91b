"""From labels to what the network should answer, and how wrong it was."""

import numpy as np
import torch
import torch.nn.functional as F

from crop import CROP_SCALE, cut, to_crop
from data import normalise
from decode import iou
from net import ANGLE_UNIT, BOX_UNIT, STRIDE

# Cells whose heat target is above this also learn the box.
NEAR = 0.4


def finder_example(p, size):
    """-> input, heat, heat weight, box, box weight: each [c, h, w]."""
    x = np.zeros((1, *size), np.float32)
    x[0, : p.t.shape[0], : p.t.shape[1]] = normalise(p.t)
    h, w = size[0] // STRIDE, size[1] // STRIDE
    heat = np.zeros((1, h, w), np.float32)
    care = np.ones((1, h, w), np.float32)
    edges = np.zeros((4, h, w), np.float32)
    weight = np.zeros((1, h, w), np.float32)
    ys, xs = (np.mgrid[:h, :w] + 0.5) * STRIDE
    for b in p.ignore:
        care[0, (xs > b[0] - 2) & (xs < b[2] + 2) & (ys > b[1] - 2) & (ys < b[3] + 2)] = 0
    for f in p.faces:
        x0, y0, x1, y1 = f.box
        i, j = int((x0 + x1) / 2 // STRIDE), int((y0 + y1) / 2 // STRIDE)
        if not (0 <= i < w and 0 <= j < h):
            continue
        sx, sy = max(2.8, 0.11 * (x1 - x0)), max(2.8, 0.11 * (y1 - y0))
        g = np.exp(-0.5 * (((xs - xs[j, i]) / sx) ** 2 + ((ys - ys[j, i]) / sy) ** 2)).astype(np.float32)
        own = (g > NEAR) & (g > heat[0])
        heat[0] = np.maximum(heat[0], g)
        care[0, own] = 1
        edges[:, own] = np.stack([xs - x0, ys - y0, x1 - xs, y1 - ys])[:, own]
        weight[0, own] = g[own]
    return x, heat, care, edges, weight


def finder_loss(raw, heat, care, edges, weight):
    """Focal loss on the centres, GIoU on the boxes."""
    logit, box = raw
    p = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    peak = (heat == 1).float()
    up = -torch.log(p) * (1 - p) ** 2 * peak
    down = -torch.log(1 - p) * p**2 * (1 - heat) ** 4 * (1 - peak) * care
    l_heat = (up + down).sum() / peak.sum().clamp(min=1)
    miss = giou(torch.exp(box.clamp(max=4)) * BOX_UNIT, edges.clamp(min=0.5))
    l_box = (miss * weight).sum() / weight.sum().clamp(min=1)
    return l_heat + 2.0 * l_box, {"heat": l_heat, "box": l_box}


def closer_examples(r, p):
    """Crops of one picture: its faces, as inexactly boxed as stage 1 does it, and what is no face.

    Yields input [1, 48, 48], points [16], traits [4], pose [3], box [4]; unknown is NaN.
    """
    no_points, no_pose, no_box = (np.full(n, np.nan, np.float32) for n in (16, 3, 4))
    for f in p.faces:
        for _ in range(2):
            b = shaken(r, f.box)
            points = no_points if f.points is None else to_crop(f.points, b).ravel()
            yield cut(p.t, b)[None], points, np.r_[1, f.worn].astype(np.float32), f.pose, to_crop(f.box.reshape(2, 2), b).ravel()
    known = [f.box for f in p.faces] + p.ignore
    boxes = [shaken(r, b) for b in p.tempting for _ in range(2)]
    while len(boxes) < max(3, 2 * len(p.faces)):
        boxes.append(anywhere(r, p.t))
    for b in boxes:
        if all(iou(b, k) < 0.3 for k in known) and not any(within(b, k) > 0.6 for k in p.ignore):
            yield cut(p.t, b)[None], no_points, np.float32([0, np.nan, np.nan, np.nan]), no_pose, no_box


def shaken(r, box):
    """A box as another detector might put it."""
    w, h = box[2] - box[0], box[3] - box[1]
    cx, cy = (box[0] + box[2]) / 2 + r.normal(0, 0.06) * w, (box[1] + box[3]) / 2 + r.normal(0, 0.06) * h
    w, h = w * np.exp(r.normal(0, 0.1)), h * np.exp(r.normal(0, 0.1))
    return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], np.float32)


def anywhere(r, t):
    """A box of a face's shape: half of them anywhere, half of them where it is warm."""
    h, w = t.shape
    y, x = int(r.integers(h)), int(r.integers(w))
    if r.random() < 0.6:
        ys, xs = r.integers(h, size=24), r.integers(w, size=24)
        k = int(np.argmax(t[ys, xs] * (t[ys, xs] < 40)))
        y, x = int(ys[k]), int(xs[k])
    bw = float(np.exp(r.uniform(np.log(9), np.log(60))))
    bh = bw * r.uniform(1.0, 1.5)
    return np.array([x - bw / 2, y - bh / 2, x + bw / 2, y + bh / 2], np.float32)


def within(a, b):
    """Share of box a that lies in box b."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return max(w, 0) * max(h, 0) / max((a[2] - a[0]) * (a[3] - a[1]), 1e-6)


# A point that is off by one width of the face costs as much as this many "no"s for a face.
POINT_WEIGHT = 25.0
BOX_WEIGHT = 5.0


def closer_loss(raw, points, traits, pose, box):
    """Cross-entropy of what is known of face and worn things; distances of points; angles."""
    p, t, a, e = raw
    known = ~torch.isnan(traits)
    bce = F.binary_cross_entropy_with_logits(t, torch.nan_to_num(traits), reduction="none") * known
    share = known.float().sum(0).clamp(min=1)
    l_face, l_worn = bce[:, 0].sum() / share[0], (bce[:, 1:].sum(0) / share[1:]).sum()
    # Of the crop's side -> of the face's width, roughly.
    l_points = distance(p * CROP_SCALE, points * CROP_SCALE, 0.02)
    l_box = distance(e * CROP_SCALE, box * CROP_SCALE, 0.05)
    l_pose = distance(a, pose / ANGLE_UNIT, 0.2)
    total = l_face + 0.5 * l_worn + POINT_WEIGHT * l_points + BOX_WEIGHT * l_box + 0.5 * l_pose
    return total, {"face": l_face, "worn": l_worn, "points": l_points, "box": l_box, "pose": l_pose}


def distance(answer, truth, beta):
    """Smooth L1, mean over what is known."""
    known = ~torch.isnan(truth)
    miss = F.smooth_l1_loss(answer, torch.nan_to_num(truth), reduction="none", beta=beta)
    return (miss * known).sum() / known.sum().clamp(min=1)


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
