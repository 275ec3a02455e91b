"""Drawn people: heads as ellipses in deg C, facing us or turned away.

They are no portrait of anybody. They keep the detector from knowing only the few dozen people of
the recordings, they make it work on rendered test scenes, and turned away (hair all over, warm
neck and ears) they are the negatives of which the recordings have too few.
"""

import cv2
import numpy as np

from data import Face

UP = 2  # drawn twice as large, then averaged down


def draw_scene(r, room):
    """A room with one to three drawn people -> (picture, faces, ignore areas)."""
    h, w = room.shape
    t = cv2.resize(room, (w * UP, h * UP), interpolation=cv2.INTER_LINEAR)
    if r.random() < 0.3:  # a plain wall with a gradient, as a renderer would make it
        base = r.uniform(16, 30)
        y, x = np.mgrid[-1 : 1 : h * UP * 1j, -1 : 1 : w * UP * 1j]
        t = (base + r.normal(0, 1) * x + r.normal(0, 1) * y).astype(np.float32)
    faces, taken = [], []
    for _ in range(r.choice([1, 2, 3], p=[0.6, 0.25, 0.15])):
        width = float(np.exp(r.uniform(np.log(12), np.log(60))))
        height = width * r.uniform(1.1, 1.4)
        cx, cy = r.uniform(0.12, 0.85) * w, r.uniform(0.18, 0.7) * h
        box = np.array([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], np.float32)
        reach = box + np.array([-0.4, -0.5, 0.4, 0.9]) * width
        if any(_touch(reach, o) for o in taken) or box[0] < -0.1 * width or box[2] > w + 0.1 * width:
            continue
        taken.append(reach)
        back = r.random() < 0.3
        points = draw_person(r, t, box * UP, back)
        if not back:
            faces.append(Face(box, (points / UP).astype(np.float32)))
    t = cv2.resize(t, (w, h), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(t, np.float32), faces, []


def draw_person(r, t, box, back):
    """Paint one person; `box` is the face (or where it would be). Returns the five points."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    air = float(np.median(t))
    skin = r.uniform(32.0, 36.0) if r.random() < 0.85 else r.uniform(29.5, 32.0)
    air = min(air, skin - 3)
    hair = air + r.uniform(0.1, 0.55) * (skin - air)
    cloth = air + r.uniform(0.1, 0.65) * (skin - air)
    detail = r.uniform(0.35, 1.3)  # how strong the features are

    layer = t.copy()
    # Shoulders and neck.
    top, half = y1 + 0.15 * h, w * r.uniform(0.8, 1.5)
    body = [[cx - half, top + 0.35 * h], [cx - 0.35 * w, top], [cx + 0.35 * w, top], [cx + half, top + 0.35 * h],
            [cx + half * 1.1, t.shape[0] + 9], [cx - half * 1.1, t.shape[0] + 9]]
    cv2.fillPoly(layer, [np.array(body, np.int32)], cloth)
    neck = r.uniform(0.24, 0.34) * w
    cv2.rectangle(layer, _xy(cx - neck, cy + 0.2 * h), _xy(cx + neck, y1 + 0.22 * h), skin + r.uniform(-1.0, 0.8), -1)
    if r.random() < 0.5:  # an open collar
        cv2.ellipse(layer, (_xy(cx, y1 + 0.2 * h), (w * 0.7, h * 0.35), 0), skin + r.uniform(-1.5, 0.4), -1)
    # Ears, then hair: a larger ellipse behind the face, or all over it from behind.
    if r.random() < 0.7:
        ear = skin + r.uniform(-4, 0.3)
        for s in (-1, 1):
            cv2.ellipse(layer, ((cx + s * 0.53 * w, cy + 0.02 * h), (0.14 * w, 0.26 * h), 0), ear, -1)
    grown = r.uniform(1.02, 1.2)
    bald = back and r.random() < 0.35
    head = skin + r.uniform(-1.5, 0.3) if bald else hair
    cv2.ellipse(layer, (_xy(cx, cy - 0.1 * h), (w * grown, h * r.uniform(1.1, 1.3)), 0), head, -1)
    if not back and r.random() < 0.3:  # long hair at both sides
        cv2.rectangle(layer, _xy(cx - 0.62 * w, cy), _xy(cx + 0.62 * w, y1 + 0.3 * h), hair, -1)
        cv2.rectangle(layer, _xy(cx - neck, cy + 0.2 * h), _xy(cx + neck, y1 + 0.22 * h), skin - 0.5, -1)
    if back:
        noise = cv2.GaussianBlur(r.normal(0, 1, layer.shape).astype(np.float32), (0, 0), max(0.8, w * 0.06))
        inside = np.abs(layer - head) < 1e-4
        layer[inside] += noise[inside] / (noise.std() + 1e-6) * r.uniform(0.1, 1.0)
        if r.random() < 0.4:  # the nape shows, warm, where a mouth might be
            cv2.ellipse(layer, (_xy(cx, y1), (0.6 * w, 0.5 * h), 0), skin, -1)
        _put(r, t, layer, w)
        return None

    yaw, pitch = r.uniform(-0.12, 0.12), r.normal(0, 0.03)

    def at(u, v):  # fractions of the box, features shifted as by a turned head
        return np.array([x0 + (u + yaw) * w, y0 + (v + pitch) * h])

    points = np.array([at(0.29, 0.305), at(0.71, 0.305), at(0.5 + 0.5 * yaw, 0.49), at(0.34, 0.685), at(0.66, 0.685)])
    skin_layer = np.full_like(layer, skin)
    _spot(skin_layer, at(0.5, 0.11), 0.30 * w, 0.14 * h, r.uniform(-0.3, 0.6) * detail)  # forehead
    for u in (0.2, 0.8):
        _spot(skin_layer, at(u, 0.55), 0.16 * w, 0.16 * h, r.uniform(-1.8, -0.1) * detail)  # cheeks
    _spot(skin_layer, points[2], 0.09 * w, 0.12 * h, r.uniform(-4.5, -0.6) * detail)  # nose
    eyes = r.uniform(-1.2, 0.6) * detail
    brow = r.uniform(-1.3, 0.0) * detail
    canthus = r.uniform(0.3, 1.6) * detail
    for e, other in ((points[0], points[1]), (points[1], points[0])):
        _spot(skin_layer, e, 0.09 * w, 0.05 * h, eyes)
        _spot(skin_layer, e - (0, 0.09 * h), 0.12 * w, 0.03 * h, brow)
        _spot(skin_layer, e + 0.22 * (other - e), 0.05 * w, 0.045 * h, canthus)
    _spot(skin_layer, (points[3] + points[4]) / 2, 0.17 * w, 0.05 * h, r.uniform(-1.5, 1.2) * detail)  # mouth
    if r.random() < 0.2:  # beard
        _spot(skin_layer, at(0.5, 0.82), 0.28 * w, 0.16 * h, r.uniform(-4, -1))
    oval = np.zeros_like(layer)
    cv2.ellipse(oval, (_xy(cx, cy), (w, h), 0), 1.0, -1)
    oval = cv2.GaussianBlur(oval, (0, 0), max(0.6, 0.025 * w))
    if r.random() < 0.4:  # cooler towards the edge, as a round thing is
        y, x = np.ogrid[: layer.shape[0], : layer.shape[1]]
        skin_layer -= r.uniform(0.3, 2.0) * np.clip(((x - cx) / (w / 2)) ** 2 + ((y - cy) / (h / 2)) ** 2, 0, 1).astype(np.float32)
    layer += (skin_layer - layer) * oval
    if r.random() < 0.3:  # fringe
        cv2.ellipse(layer, (_xy(cx, y0 + 0.03 * h), (w * 0.8, h * r.uniform(0.1, 0.3)), 0), hair, -1)
    _put(r, t, layer, w)
    return points


def _put(r, t, layer, w):
    np.copyto(t, cv2.GaussianBlur(layer, (0, 0), max(0.7, w * r.uniform(0.0, 0.03))) if r.random() < 0.7 else layer)


def _spot(a, centre, rx, ry, by):
    """Add a soft spot, only where it is not nearly zero."""
    h, w = a.shape
    x0, x1 = int(max(0, centre[0] - 3 * rx)), int(min(w, centre[0] + 3 * rx + 1))
    y0, y1 = int(max(0, centre[1] - 3 * ry)), int(min(h, centre[1] + 3 * ry + 1))
    if x0 >= x1 or y0 >= y1:
        return
    y, x = np.ogrid[y0:y1, x0:x1]
    a[y0:y1, x0:x1] += by * np.exp(-0.5 * (((x - centre[0]) / rx) ** 2 + ((y - centre[1]) / ry) ** 2)).astype(np.float32)


def _touch(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _xy(x, y):
    return int(round(float(x))), int(round(float(y)))
