"""Training pictures: recorded frames and rendered scenes, changed in temperature and in place.

Everything happens in deg C, before the window of the network is applied. The recordings come from
few cameras and few rooms; the gateway meets others. So rooms get colder and warmer, cameras read
too low, heads come nearer and farther, people get glasses, masks and hats, and hot things that are
not faces (discs, cups, lamps, screens, radiators) stand about. Rendered scenes have all that
already; they hold the networks to what a face is rather than to some forty people.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from data import MIRRORED, Face, Recordings, Scenes, celsius

# Where the eight points lie in a frontal box (mean over the hand labels), as fractions of its size.
MEAN_POINTS = np.array(
    [[0.30, 0.30], [0.73, 0.32], [0.39, 0.30], [0.64, 0.32], [0.50, 0.49], [0.32, 0.68], [0.65, 0.70], [0.51, 0.10]],
    np.float32,
)
SKIN = 34.0  # what skin reads on a true camera, roughly
SIZE = (160, 128)  # of a training picture, at most


@dataclass
class Picture:
    """What a camera may see, and what is known of it."""

    t: np.ndarray  # deg C, SIZE or up to 15 px less at the right and the bottom
    faces: list
    ignore: list = field(default_factory=list)  # boxes: neither face nor background
    tempting: list = field(default_factory=list)  # boxes that are no face and look like one


@dataclass
class Move:
    """From a frame to the canvas."""

    matrix: np.ndarray  # 2 x 3
    scale: float
    angle: float
    flip: bool

    def picture(self, t, size, border=cv2.BORDER_REPLICATE):
        if self.scale < 0.7:  # no aliasing
            t = cv2.GaussianBlur(t, (0, 0), 0.35 / self.scale)
        return cv2.warpAffine(t, self.matrix, size[::-1], flags=cv2.INTER_LINEAR, borderMode=border)

    def points(self, p):
        q = np.c_[p, np.ones(len(p))] @ self.matrix.T
        return (q[MIRRORED] if self.flip else q).astype(np.float32)

    def box(self, b):
        """Centre and size move; the box of a turned head stays as tight as the head was."""
        c = self.matrix @ np.array([(b[0] + b[2]) / 2, (b[1] + b[3]) / 2, 1.0])
        a = np.deg2rad(abs(self.angle)) * 0.5
        w, h = (b[2] - b[0]) * self.scale, (b[3] - b[1]) * self.scale
        w, h = w * np.cos(a) + 0.5 * h * np.sin(a) * 0.6, h
        return np.array([c[0] - w / 2, c[1] - h / 2, c[0] + w / 2, c[1] + h / 2], np.float32)


class Sampler:
    """Makes one `Picture` at a time, all randomness from one generator."""

    def __init__(self, recordings: Recordings, items, scenes: Scenes | None, tempting=None, rendered=0.4, seed=0):
        self.rec, self.scenes = recordings, scenes
        self.tempting = tempting or {}
        self.rendered = rendered if scenes and items else float(scenes is not None)
        self.rng = np.random.default_rng(seed)
        with_faces = [i for i in items if i.faces]
        self.hand = [i for i in with_faces if i.kind == "hand"]
        # By recording, so that a long one does not drown the short ones.
        self.more = _by_recording(i for i in with_faces if i.kind != "hand")
        self.empty = _by_recording(i for i in items if not i.faces and i.kind == "hand")
        self.hard = _by_recording(i for i in items if not i.faces and i.kind != "hand")

    def sample(self):
        r = self.rng
        if r.random() < self.rendered:
            p = self.scene()
            if r.random() < 0.3:
                p.t = self.sensor(p.t)
        else:
            p = self.place(self.positive() if r.random() < 0.6 else self.negative())
            if r.random() < 0.25:
                self.add_person(p)
            dress(r, p)
            clutter(r, p.t, p.faces)
            p.t = self.sensor(p.t)
        # Sides that are no multiple of 16 are padded by the gateway; mostly 120 -> 128 here.
        right, bottom = [(8, 0), (0, 0), (int(r.integers(0, 16)), int(r.integers(0, 16)))][r.choice(3, p=[0.6, 0.2, 0.2])]
        p.t = np.ascontiguousarray(p.t[: p.t.shape[0] - bottom, : p.t.shape[1] - right], np.float32)
        return p

    def scene(self):
        """A rendered scene, mirrored or not."""
        i = int(self.rng.integers(len(self.scenes)))
        t = celsius(self.scenes.frames[i])
        faces, ignore, heads = self.scenes.people(i)
        p = Picture(t, faces, ignore, heads + [np.array(b, np.float32) for b in self.tempting.get(("scene", i), [])])
        return mirrored(p) if self.rng.random() < 0.5 else p

    # -- choosing -------------------------------------------------------------------------------

    def positive(self):
        r = self.rng
        if self.more and r.random() < 0.6:
            return _pick(r, self.more[_pick(r, list(self.more))])
        return _pick(r, self.hand)

    def negative(self):
        r = self.rng
        pool = self.hard if self.hard and (not self.empty or r.random() < 0.7) else self.empty
        return _pick(r, pool[_pick(r, list(pool))])

    def room(self):
        """The empty background of some recording, stretched over the canvas."""
        r = self.rng
        name = _pick(r, list(self.empty))
        bg = self.shift_room(celsius(self.rec.background[name]), self.rec.level[name])
        h, w = SIZE
        if r.random() < 0.5:
            bg = bg[:, ::-1]
        s = r.uniform(1.1, 1.8)
        big = cv2.resize(bg, (int(w * s), int(h * s)))
        y, x = r.integers(big.shape[0] - h + 1), r.integers(big.shape[1] - w + 1)
        return big[y : y + h, x : x + w].copy()

    # -- geometry -------------------------------------------------------------------------------

    def move(self, item):
        r = self.rng
        height, width = SIZE
        if item.faces:
            box = _pick(r, item.faces).box
            wanted = np.exp(r.uniform(np.log(11.0), np.log(62.0)))
            scale = float(np.clip(wanted / (box[2] - box[0]), 0.4, 1.9))
            centre = (box[:2] + box[2:]) / 2
        else:
            scale = float(np.exp(r.uniform(np.log(0.55), np.log(1.7))))
            h, w = self.rec.background[item.file].shape
            centre = np.array([r.uniform(0.2, 0.8) * w, r.uniform(0.2, 0.7) * h])
        if r.random() < 0.35:  # as recorded, a little moved: how people really stand there
            scale = float(r.uniform(0.85, 1.2))
            target = centre + r.normal(0, 8, 2)
        else:
            target = np.array([r.uniform(0.12, 0.88) * width, r.uniform(0.15, 0.8) * height])
        angle = float(np.clip(r.normal(0, 7), -18, 18))
        flip = bool(r.random() < 0.5)
        m = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
        if flip:
            m = np.array([[-1, 0, 2 * centre[0]], [0, 1, 0]]) @ np.vstack([m, [0, 0, 1]])
        m[:, 2] += target - centre
        return Move(m.astype(np.float32), scale, angle, flip)

    def place(self, item, move=None):
        """Warp a frame onto the canvas, and its labels with it."""
        r = self.rng
        move = move or self.move(item)
        t = self.shift_room(self.rec.celsius(item), self.rec.level[item.file])
        warped = move.picture(t, SIZE)
        inside = move.picture(np.ones_like(t), SIZE, cv2.BORDER_CONSTANT)
        if inside.min() < 0.5 and r.random() < 0.6:
            room = self.room()
            room += np.median(warped) - np.median(room) + r.normal(0, 1)
            soft = cv2.GaussianBlur(cv2.erode(inside, np.ones((5, 5))), (0, 0), 1.5)
            warped = warped * soft + room * (1 - soft)
        p = Picture(warped, [], [move.box(b) for b in item.ignore])
        p.tempting = [move.box(b) for b in item.profile + self.tempting.get(item.key, [])]
        for f in item.faces:
            box = move.box(f.box)
            keep = _visible(box, SIZE)
            if keep > 0.72 and box[2] - box[0] >= 8.5:
                roll = np.array([np.nan, np.nan, np.nan], np.float32)
                points = None if f.points is None else move.points(f.points)
                if points is not None:
                    roll[2] = np.degrees(np.arctan2(*(points[1] - points[0])[::-1]))
                p.faces.append(Face(box, points, f.worn.copy(), roll))
            elif keep > 0.05:
                p.ignore.append(box)
        return p

    def add_person(self, p):
        """Cut a person out of another frame (they differ from its room) and put them here."""
        r = self.rng
        item = self.positive()
        over = self.rec.celsius(item) - celsius(self.rec.background[item.file])
        mask = cv2.medianBlur((np.clip((over - 0.4) / 0.8, 0, 1) * 255).astype(np.uint8), 5)
        for f in item.faces:
            x0, y0, x1, y1 = np.maximum(f.box, 0).astype(int)
            if mask[y0:y1, x0:x1].mean() < 140:
                return  # stood still all the time: no clean cut
        move = self.move(item)
        other = self.place(item, move)
        soft = move.picture(mask.astype(np.float32) / 255.0, SIZE, cv2.BORDER_CONSTANT)
        p.t = p.t * (1 - soft) + (other.t + r.normal(0, 0.4)) * soft
        kept = []
        for f in p.faces:
            covered = _mean(soft, f.box)
            if covered < 0.15:
                kept.append(f)
            elif covered < 0.8:
                p.ignore.append(f.box)
        p.tempting = [b for b in p.tempting if _mean(soft, b) < 0.15] + other.tempting
        p.faces, p.ignore = kept + other.faces, p.ignore + other.ignore

    # -- temperature ----------------------------------------------------------------------------

    def shift_room(self, t, room):
        """Colder or warmer surroundings under the same skin: a linear, monotone change."""
        r = self.rng
        if room > SKIN - 1.5 or r.random() < 0.45:
            return t
        gain = np.clip((SKIN - r.uniform(15, 32)) / (SKIN - room), 0.45, 2.2)
        return SKIN - (SKIN - t) * gain

    def sensor(self, t):
        """What another camera would make of it."""
        r = self.rng
        h, w = t.shape
        if r.random() < 0.3:
            t = cv2.GaussianBlur(t, (0, 0), r.uniform(0.4, 1.1))
        if r.random() < 0.15:
            t = _motion_blur(r, t)
        mean = float(np.median(t))
        t = mean + (t - mean) * r.uniform(0.85, 1.2)
        t = t + (r.uniform(-5, 3) if r.random() < 0.75 else 0.0)
        t = t + r.normal(0, r.choice([0.02, 0.05, 0.1, 0.25]), t.shape)
        if r.random() < 0.35:  # fixed pattern: rows, columns, and a slow vignette
            t = t + r.normal(0, r.uniform(0.02, 0.15), (h, 1)) + r.normal(0, r.uniform(0.02, 0.15), (1, w))
            y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
            t = t + r.normal(0, 0.5) * (x * x + y * y) + r.normal(0, 0.4) * x + r.normal(0, 0.4) * y
        return t


# -- things worn, things standing about ----------------------------------------------------------


def mirrored(p):
    w = p.t.shape[1]

    def box(b):
        return np.array([w - b[2], b[1], w - b[0], b[3]], np.float32)

    faces = []
    for f in p.faces:
        points = None
        if f.points is not None:
            points = (f.points * (-1, 1) + (w, 0))[MIRRORED].astype(np.float32)
        faces.append(Face(box(f.box), points, f.worn, f.pose * np.float32([-1, 1, -1])))
    return Picture(p.t[:, ::-1], faces, [box(b) for b in p.ignore], [box(b) for b in p.tempting])


def dress(r, picture):
    """Glasses, masks and hats over faces that have points; in place."""
    t = picture.t
    for f in picture.faces:
        p = f.points if f.points is not None else f.box[:2] + MEAN_POINTS * (f.box[2:] - f.box[:2])
        w = f.box[2] - f.box[0]
        eyes, mouth = (p[0] + p[1]) / 2, (p[5] + p[6]) / 2
        iod = max(float(np.linalg.norm(p[1] - p[0])), 0.3 * w)
        skin = _median(t, f.box)
        ambient = float(np.percentile(t, 20))
        tilt = np.degrees(np.arctan2(p[1][1] - p[0][1], p[1][0] - p[0][0]))
        if r.random() < 0.3:  # skin differs: cold cheeks, warm vessels, sweat
            for _ in range(int(r.integers(1, 4))):
                at = f.box[:2] + r.uniform(0.05, 0.95, 2) * (f.box[2:] - f.box[:2])
                _spot(t, at, w * r.uniform(0.06, 0.25), w * r.uniform(0.06, 0.25), r.normal(0, 1.0))
        if r.random() < 0.25:  # beard: cold from the ears or round the mouth down to the chin
            cold, wide = r.uniform(0.8, 5.0), w * r.uniform(0.14, 0.42)
            chin = np.array([mouth[0], mouth[1] + 0.2 * w])
            _spot(t, chin, wide, w * r.uniform(0.12, 0.24), -cold)
            if r.random() < 0.6:
                _spot(t, mouth, 0.13 * w, 0.045 * w, 0.7 * cold)  # lips
        if f.points is not None and r.random() < 0.22:  # glasses: opaque, at about the air's temperature
            glass = ambient + r.uniform(0.1, 0.8) * (skin - ambient)
            layer = t.copy()
            for e in p[:2]:
                size = (iod * r.uniform(0.3, 0.45), iod * r.uniform(0.2, 0.36))
                cv2.ellipse(layer, (_xy(e), (2 * size[0], 2 * size[1]), tilt), glass, -1)
            cv2.line(layer, _xy(p[0]), _xy(p[1]), glass, max(1, int(iod * 0.12)))
            _blend(t, layer, r.uniform(0.75, 1.0))
            f.worn[0] = 1
        if r.random() < 0.16:  # mask: nose to chin, breathing warm and cold
            low = f.box[3]
            top = eyes + (mouth - eyes) * r.uniform(0.3, 0.55)
            side = w * r.uniform(0.4, 0.5)
            poly = np.array(
                [[top[0] - side, top[1]], [top[0], top[1] - 0.08 * w], [top[0] + side, top[1]],
                 [mouth[0] + side * 0.8, mouth[1] + 0.05 * w], [mouth[0] + side * 0.3, low],
                 [mouth[0] - side * 0.3, low], [mouth[0] - side * 0.8, mouth[1] + 0.05 * w]]
            )
            layer = t.copy()
            cv2.fillPoly(layer, [poly.astype(np.int32)], float(ambient + r.uniform(0.15, 0.95) * (skin - ambient)))
            cv2.ellipse(layer, (_xy(mouth), (side * 0.7, side * 0.6), 0), float(ambient + r.uniform(0.1, 1.0) * (skin - ambient)), -1)
            layer = cv2.GaussianBlur(layer, (0, 0), max(0.5, w * 0.03))
            _blend(t, layer, r.uniform(0.7, 1.0))
            f.worn[1] = 1
        if r.random() < 0.12:  # cap, hood, hair over the brow
            cover = ambient + r.uniform(0.0, 0.6) * (skin - ambient)
            brow = p[:2].mean(0) - np.array([0, iod * r.uniform(0.28, 0.5)])
            y0 = f.box[1] - w * r.uniform(0.1, 0.35)
            x0, x1 = f.box[0] - 0.08 * w, f.box[2] + 0.08 * w
            layer = t.copy()
            cv2.ellipse(layer, (_xy(((x0 + x1) / 2, brow[1])), (x1 - x0, 2 * (brow[1] - y0)), 0), 0.0, -1)
            where = (layer == 0.0) & (np.arange(t.shape[0])[:, None] <= brow[1])
            t[where] = cover + r.normal(0, 0.2)
            f.worn[2] = 1


def clutter(r, t, faces):
    """Hot and warm things that are not faces; in place. They keep clear of most of each face."""
    h, w = t.shape
    ambient = float(np.percentile(t, 20))
    for _ in range(r.choice([0, 1, 2, 3], p=[0.35, 0.35, 0.2, 0.1])):
        kind = r.choice(["disc", "disc", "ball", "cup", "lamp", "screen", "radiator", "hand"])
        size = r.uniform(3, 10) if kind in ("disc", "lamp") else r.uniform(5, 20)
        x, y = r.uniform(0, w), r.uniform(0, h)
        reach = np.array([x - size, y - size, x + size, y + size])
        if any(_overlap(reach, f.box) > 0.12 for f in faces):
            continue
        hot = r.uniform(30, 40)
        layer = t.copy()
        c = (float(x), float(y))
        if kind == "disc":
            if r.random() < 0.6:  # the box around a reference
                b = size * r.uniform(1.5, 3)
                cv2.rectangle(layer, _xy((x - b, y - b * 1.3)), _xy((x + b, y + b * 0.8)), ambient + r.uniform(0, 2.5), -1)
            cv2.ellipse(layer, (c, (2 * size, 2 * size * r.uniform(0.85, 1.15)), 0), hot, -1)
        elif kind == "ball":  # as big and as warm as a face, without features
            cv2.ellipse(layer, (c, (2 * size, 2 * size * r.uniform(0.9, 1.4)), r.uniform(-20, 20)), hot - 2, -1)
            if r.random() < 0.5:  # warm below or at one side: a neck, an ear, a bald spot
                cv2.ellipse(layer, ((x + r.normal(0, size / 2), y + size * r.uniform(0.3, 1)), (size, size * 0.7), 0), hot, -1)
        elif kind == "cup":
            cv2.rectangle(layer, _xy((x - size / 3, y - size / 2)), _xy((x + size / 3, y + size / 2)), hot + 8, -1)
            cv2.ellipse(layer, ((x + size / 3, y), (size / 2, size / 2), 0), hot, 1)
        elif kind == "lamp":
            cv2.ellipse(layer, (c, (2 * size, size), r.uniform(0, 180)), hot + r.uniform(0, 40), -1)
        elif kind == "screen":
            cv2.rectangle(layer, _xy((x - size * 1.3, y - size)), _xy((x + size * 1.3, y + size)), ambient + r.uniform(1, 8), -1)
        elif kind == "radiator":
            for k in range(int(r.integers(3, 8))):
                cv2.line(layer, _xy((x + 4 * k, y - size)), _xy((x + 4 * k, y + size)), hot, 2)
        else:  # a hand: palm and fingers
            cv2.ellipse(layer, (c, (size, size * 1.2), 0), hot - 3, -1)
            for k in range(4):
                a = np.deg2rad(-120 + 20 * k + r.normal(0, 8))
                cv2.line(layer, _xy(c), _xy((x + 1.3 * size * np.cos(a), y + 1.3 * size * np.sin(a))), hot - 4, max(1, int(size / 5)))
        layer = cv2.GaussianBlur(layer, (0, 0), r.uniform(0.4, 1.2))
        changed = cv2.dilate((np.abs(layer - t) > 0.05).astype(np.uint8), np.ones((3, 3)))
        np.copyto(t, layer, where=changed.astype(bool))


# -- small helpers --------------------------------------------------------------------------------


def _pick(r, seq):
    return seq[int(r.integers(len(seq)))]


def _by_recording(items):
    groups = {}
    for i in items:
        groups.setdefault(i.file, []).append(i)
    return groups


def _xy(p):
    return int(round(float(p[0]))), int(round(float(p[1])))


def _spot(t, centre, rx, ry, by):
    """Add a soft spot, only where it is not nearly zero."""
    h, w = t.shape
    x0, x1 = int(max(0, centre[0] - 3 * rx)), int(min(w, centre[0] + 3 * rx + 1))
    y0, y1 = int(max(0, centre[1] - 3 * ry)), int(min(h, centre[1] + 3 * ry + 1))
    if x0 < x1 and y0 < y1:
        y, x = np.ogrid[y0:y1, x0:x1]
        t[y0:y1, x0:x1] += by * np.exp(-0.5 * (((x - centre[0]) / rx) ** 2 + ((y - centre[1]) / ry) ** 2))


def _blend(t, layer, alpha):
    t += (layer - t) * alpha


def _crop(a, box):
    h, w = a.shape
    x0, y0, x1, y1 = np.clip(box, 0, [w, h, w, h]).astype(int)
    return a[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def _mean(a, box):
    c = _crop(a, box)
    return float(c.mean()) if c.size else 1.0


def _median(a, box):
    c = _crop(a, box)
    return float(np.median(c)) if c.size else SKIN


def _area(b):
    return max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1])


def _overlap(a, b):
    """Share of box b that a covers."""
    inter = [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
    return _area(inter) / max(_area(b), 1e-6)


def _visible(box, size):
    return _overlap([0, 0, size[1], size[0]], box)


def _motion_blur(r, t):
    n = int(r.integers(3, 8))
    kernel = np.zeros((n, n), np.float32)
    kernel[n // 2] = 1.0 / n
    turn = cv2.getRotationMatrix2D(((n - 1) / 2, (n - 1) / 2), r.normal(0, 30), 1)
    kernel = cv2.warpAffine(kernel, turn, (n, n))
    return cv2.filter2D(t, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
