"""Recordings, labels, and the list of frames that a training or an evaluation uses.

The shared data folder holds `recordings/*.cptv` (with `index.csv`) and `labels/faces.json`. This
folder adds `labels.json`: what was found by looking at further frames. Pictures are kept as
centikelvin, upright (the cameras lie on their side).
"""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cptv import CPTVReader

# The window of the network's input, deg C. A contract with the gateway: see MANIFEST.toml.
T_MIN, T_MAX = 18.0, 40.0
HERE = Path(__file__).parent


def celsius(centikelvin):
    return centikelvin.astype(np.float32) / 100.0 - 273.15


def normalise(t):
    """deg C -> 0..1, as the network sees it."""
    return np.clip((t - T_MIN) / (T_MAX - T_MIN), 0.0, 1.0).astype(np.float32)


def pad16(x):
    """Zeros at the right and the bottom, up to multiples of 16."""
    h, w = x.shape
    return np.pad(x, ((0, -h % 16), (0, -w % 16)))


# The eight points, image-left first; mirrored, they are in this order.
POINT_NAMES = ["left eye", "right eye", "left canthus", "right canthus", "nose", "left mouth", "right mouth", "forehead"]
MIRRORED = [1, 0, 3, 2, 4, 6, 5, 7]
# What may be worn, in the order of the network's answer.
WORN = ["glasses", "mask", "brow"]


@dataclass
class Face:
    box: np.ndarray  # x0, y0, x1, y1
    points: np.ndarray | None = None  # [8, 2], or unknown
    worn: np.ndarray = field(default_factory=lambda: np.full(3, np.nan, np.float32))  # 0, 1 or unknown
    pose: np.ndarray = field(default_factory=lambda: np.full(3, np.nan, np.float32))  # degrees or unknown


def eight_points(p):
    """From eyes, nose and mouth corners, as detectors tell them, to the eight points.

    The inner canthus lies at 0.2 of the way from the centre of one eye to the other (measured 0.18
    to 0.21 on 54-point labels of thermal faces); the middle of the forehead as far above the eyes
    as 0.54 of the way from the eyes to the mouth.
    """
    p = np.asarray(p, np.float32).reshape(-1, 2)
    if len(p) == 8:
        return p
    left, right, nose, mouth_left, mouth_right = p
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    return np.stack([
        left, right, left + 0.2 * (right - left), right + 0.2 * (left - right),
        nose, mouth_left, mouth_right, eyes - 0.54 * (mouth - eyes),
    ])


@dataclass
class Item:
    """One frame of which it is known where the faces are (perhaps: nowhere)."""

    file: str
    frame: int
    faces: list = field(default_factory=list)
    ignore: list = field(default_factory=list)  # boxes: neither face nor background
    profile: list = field(default_factory=list)  # boxes: seen from the side, not to be measured
    back_of_head: bool = False  # a head is seen from behind
    kind: str = "hand"  # hand | looked | pseudo | negative

    @property
    def key(self):
        return self.file, self.frame


class Recordings:
    """All recordings in memory (250 MB for the 51 of the development set)."""

    def __init__(self, data):
        data = Path(data)
        with open(data / "recordings" / "index.csv", newline="") as f:
            self.index = {r["file"]: r for r in csv.DictReader(f)}
        self.frames, self.background, self.level = {}, {}, {}
        for name in sorted(self.index):
            with open(data / "recordings" / name, "rb") as f:
                stack = np.stack([np.rot90(fr.pix, -1) for fr in CPTVReader(f)]).astype(np.uint16)
            self.frames[name] = stack
            # People are warmer than a lobby and they move: the low end of each pixel is the room.
            self.background[name] = np.percentile(stack[:: max(1, len(stack) // 60)], 8, axis=0).astype(np.uint16)
            self.level[name] = float(np.median(celsius(self.background[name])))

    def unit(self, name):
        return self.index[name]["camera_unit"]

    def kind(self, name):
        return self.index[name]["class"]

    def celsius(self, item):
        return celsius(self.frames[item.file][item.frame])


def read_labels(path, kind="hand"):
    """-> (items that can be scored, ambiguous items)."""
    scored, ambiguous = [], []
    for e in json.loads(Path(path).read_text()):
        faces = [
            Face(
                np.array(f["box"], np.float32),
                eight_points(f["points"]) if f.get("points") else None,
                np.array([np.nan if f.get(w) is None else float(f[w]) for w in WORN], np.float32),
            )
            for f in e.get("faces", [])
        ]
        ignore, profile = (
            [np.array(g["box"] if isinstance(g, dict) else g, np.float32) for g in e.get(k, [])] for k in ("ignore", "profile")
        )
        item = Item(e["file"], e["frame"], faces, ignore, profile, e.get("back_of_head", False), e.get("kind", kind))
        (ambiguous if e.get("ambiguous") else scored).append(item)
    return scored, ambiguous


def hand_labels(data):
    """The shared labels; what is worn in them is told by `frames.json`."""
    scored, ambiguous = read_labels(Path(data) / "labels" / "faces.json")
    again = {i.key: i for i in looked_at()}
    for item in scored:
        for f, g in zip(item.faces, again[item.key].faces if item.key in again else []):
            f.worn = g.worn
    return scored, ambiguous


def extra_labels():
    """`labels.json` of this folder.

    `no_face`: spans of frames in which somebody looked and saw no face that may be measured (backs
    of heads, profiles, empty rooms); `areas` in them (tiny people far behind) are left out of the
    loss all the same.
    """
    path = HERE / "labels.json"
    return json.loads(path.read_text()) if path.exists() else {"no_face": []}


def looked_at():
    """`frames.json` of this folder: further frames that somebody looked at, one by one."""
    path = HERE / "frames.json"
    return read_labels(path, "looked")[0] if path.exists() else []


def read_pseudo(path):
    return read_labels(path, "pseudo")[0] if path else []


def negatives(recordings, step=3):
    """Frames without a face: empty rooms, and the spans of `labels.json`."""
    items = [
        Item(name, i, kind="negative")
        for name, stack in recordings.frames.items()
        if recordings.kind(name) == "empty"
        for i in range(0, len(stack), step)
    ]
    for span in extra_labels()["no_face"]:
        ignore = [np.array(b, np.float32) for b in span.get("areas", [])]
        items += [
            Item(span["file"], i, ignore=ignore, kind="negative")
            for i in range(span["from"], min(span["to"] + 1, len(recordings.frames[span["file"]])), step)
        ]
    return items


class Scenes:
    """Scenes rendered by `menshen simulate --scenes`: pictures, and what is true in them."""

    SHAPE = (160, 128)
    # Turned by less than the first is a face that may be measured; by more than the second is none.
    TURNED = (60.0, 70.0)
    SMALLEST, VISIBLE = 9.0, 0.55

    def __init__(self, folder):
        folder = Path(folder)
        self.frames = np.fromfile(folder / "scenes.u16", "<u2").reshape(-1, *self.SHAPE)
        with open(folder / "scenes.jsonl") as f:
            self.truth = [json.loads(line) for line in f]

    def __len__(self):
        return len(self.truth)

    def people(self, i):
        """-> faces, boxes that are neither nor, heads that are no faces."""
        faces, ignore, heads = [], [], []
        for p in self.truth[i]["people"]:
            box, yaw = np.array(p["box"], np.float32), abs((p["yaw_deg"] + 180) % 360 - 180)
            if yaw > self.TURNED[1]:
                heads.append(np.array(p["head"], np.float32))
            elif yaw > self.TURNED[0] or p["visible"] < self.VISIBLE or box[2] - box[0] < self.SMALLEST:
                ignore.append(box)
            else:
                faces.append(
                    Face(
                        box,
                        np.array(p["points"], np.float32).reshape(8, 2) if p["points"] else None,
                        np.array([p["glasses"], p["mask"], p["brow"]], np.float32),
                        np.array([p["yaw_deg"], p["pitch_deg"], p["roll_deg"]], np.float32),
                    )
                )
        return faces, ignore, heads


FOLDS = {
    # name: which camera units it is trained on; it is tested on all the others
    "all": lambda unit: True,
    "tko8": lambda unit: unit == "TKO8",
    "others": lambda unit: unit != "TKO8",
}
