"""Label the frames that nobody looked at, with a model that already works (self-training).

A detection becomes a label only if a second look, at the mirrored picture, agrees, and if a
detection near it in the frame before or after agrees too. Everything doubtful becomes an ignore
area. A frame without any confident face is not used at all: that it shows nobody is not certain.

    python pseudo.py face.onnx landmarks.onnx --data ../../../shared/data --out pseudo.json
"""

import argparse
import json

import numpy as np

import data
from decode import iou
from evaluate import Detector
from targets import within

SURE, DOUBTFUL = 0.8, 0.2


def both_ways(detector, t):
    """Detections of the picture, averaged with those of its mirror where the two agree."""
    width = t.shape[1]
    straight = [d[:3] for d in detector(t, DOUBTFUL)]
    mirrored = []
    for s, b, p, *_ in detector(t[:, ::-1], DOUBTFUL):
        p = p.copy()
        p[:, 0] = width - p[:, 0]
        mirrored.append((s, np.array([width - b[2], b[1], width - b[0], b[3]]), p[data.MIRRORED]))
    result = []
    for s, b, p in straight:
        twin = max(mirrored, key=lambda m: iou(m[1], b), default=None)
        if twin is not None and iou(twin[1], b) > 0.5:
            result.append((min(s, twin[0]), (b + twin[1]) / 2, (p + twin[2]) / 2))
        else:
            result.append((DOUBTFUL, b, p))
    unmatched = [m for m in mirrored if all(iou(m[1], b) <= 0.5 for _, b, _ in straight)]
    return result + [(DOUBTFUL, b, p) for _, b, p in unmatched]


def label(stack, detector, step):
    looks = [both_ways(detector, data.celsius(f)) for f in stack]
    for k in range(0, len(stack), step):
        near = [d for j in (k - 1, k + 1) if 0 <= j < len(stack) for d in looks[j]]
        faces, ignore = [], []
        for s, b, p in sorted(looks[k], key=lambda d: -d[0]):
            steady = any(d[0] > SURE * 0.8 and iou(d[1], b) > 0.4 for d in near)
            if s >= SURE and steady:
                faces.append({"box": np.round(b, 1).tolist(), "points": np.round(p.ravel(), 1).tolist()})
            elif all(within(b, f["box"]) < 0.5 for f in faces):  # a part of a face is no face of its own
                ignore.append({"box": np.round(b, 1).tolist()})
        if faces:
            yield k, faces, ignore


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("finder", help="face.onnx by export.py")
    p.add_argument("closer", help="landmarks.onnx by export.py")
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--fold", choices=data.FOLDS, default="all", help="label these camera units only")
    p.add_argument("--step", type=int, default=2, help="every which frame")
    a = p.parse_args()
    rec = data.Recordings(a.data)
    spans = data.extra_labels()["no_face"]
    detector = Detector(a.finder, a.closer)
    out = []
    for name, stack in rec.frames.items():
        if not data.FOLDS[a.fold](rec.unit(name)) or rec.kind(name) == "empty":
            continue
        empty = {k for s in spans if s["file"] == name for k in range(s["from"], s["to"] + 1)}
        found = [e for e in label(stack, detector, a.step) if e[0] not in empty]
        out += [{"file": name, "frame": k, "faces": f, "ignore": g, "kind": "pseudo"} for k, f, g in found]
        print(f"{len(found):4d} of {len(stack):4d}  {rec.kind(name):18} {name}", flush=True)
    with open(a.out, "w") as f:
        json.dump(out, f)
    print(f"{len(out)} frames, {sum(len(e['faces']) for e in out)} faces")


if __name__ == "__main__":
    main()
