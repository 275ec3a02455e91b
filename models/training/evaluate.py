"""Measure a model: on the hand labels, and on every frame of every recording.

    python evaluate.py ../face.onnx --data ../../../shared/data --fold tko8

`--fold` names what the model was TRAINED on; only the other camera units are then scored. With
`all` everything is scored, and the figures are those of the training set.
"""

import argparse
import json

import numpy as np
import onnxruntime

import data
from decode import decode, iou

# A recording counts as a hit when this many frames show a face of at least this width.
HIT_FRAMES, HIT_WIDTH = 5, 18.0
CLASSES = ("near_frontal", "brief_passer_by", "far_side_or_back", "empty")


class Detector:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, t, threshold):
        """Picture in deg C -> [(score, box, points)]."""
        x = data.pad16(data.normalise(t))[None, None]
        heat, box, points = (o[0] for o in self.session.run(None, {"thermal": x}))
        return decode(heat, box, points, threshold)


def score_labels(detector, rec, items, threshold, offset=0.0):
    """Recall at two IoUs, false positives per frame, and the error of the points."""
    n = {"frames": len(items), "faces": 0, "hit50": 0, "hit30": 0, "false": 0}
    errors, missed, wrong = [], [], []
    for item in items:
        found = detector(rec.celsius(item) + offset, threshold)
        used = set()
        for f in item.faces:
            n["faces"] += 1
            best = max(((iou(d[1], f.box), k) for k, d in enumerate(found)), default=(0.0, -1))
            n["hit50"] += best[0] >= 0.5
            n["hit30"] += best[0] >= 0.3
            if best[0] >= 0.3:
                used.add(best[1])
                if f.points is not None:
                    eyes = np.linalg.norm(f.points[0] - f.points[1])
                    errors.append(np.linalg.norm(found[best[1]][2] - f.points, axis=1) / max(eyes, 1.0))
            else:
                missed.append((*item.key, [round(float(v)) for v in f.box]))
        for k, d in enumerate(found):
            if k in used or any(iou(d[1], f.box) >= 0.3 for f in item.faces):
                continue
            if any(inside(d[1], g) > 0.5 for g in item.ignore):
                continue
            n["false"] += 1
            wrong.append((*item.key, round(d[0], 2), [round(float(v)) for v in d[1]]))
    e = np.array(errors) if errors else np.zeros((1, 5))
    return {
        **n,
        "recall50": n["hit50"] / max(n["faces"], 1),
        "recall30": n["hit30"] / max(n["faces"], 1),
        "false_per_frame": n["false"] / max(n["frames"], 1),
        "point_error": float(e.mean()),
        "eye_error": float(e[:, :2].mean()),
        "missed": missed,
        "wrong": wrong,
    }


def inside(a, b):
    """Share of box a that lies in box b."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return max(w, 0) * max(h, 0) / max((a[2] - a[0]) * (a[3] - a[1]), 1e-6)


def score_recordings(detector, rec, names, lowest=0.1):
    """-> for each recording the HIT_FRAMES-th best score among its frames: hit at t if >= t."""
    result = {}
    for name in names:
        best = []
        for frame in rec.frames[name]:
            found = detector(data.celsius(frame), lowest)
            best.append(max((s for s, b, _ in found if b[2] - b[0] >= HIT_WIDTH), default=0.0))
        best = sorted(best, reverse=True)
        result[name] = best[HIT_FRAMES - 1] if len(best) >= HIT_FRAMES else 0.0
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", help="face.onnx")
    p.add_argument("--data", required=True)
    p.add_argument("--fold", choices=data.FOLDS, default="all", help="what the model was trained on")
    p.add_argument("--thresholds", type=float, nargs="+", default=[0.3, 0.4, 0.5, 0.6])
    p.add_argument("--offset", type=float, default=0.0, help="deg C added to every picture (a badly reading camera)")
    p.add_argument("--labels-only", action="store_true", help="skip the pass over every frame")
    p.add_argument("--list", type=float, help="list misses and false positives at this threshold")
    p.add_argument("--json", help="write the figures here")
    a = p.parse_args()

    rec = data.Recordings(a.data)
    trained_on = data.FOLDS[a.fold]
    names = [n for n in rec.frames if a.fold == "all" or not trained_on(rec.unit(n))]
    items = [i for i in data.hand_labels(a.data)[0] if i.file in names]
    detector = Detector(a.model)
    out = {"fold": a.fold, "recordings": len(names), "labels": {}, "recordings_hit": {}}

    print(f"{len(names)} recordings, {len(items)} labelled frames; the model was trained on: {a.fold}")
    for t in a.thresholds:
        s = score_labels(detector, rec, items, t, a.offset)
        print(
            f"t {t:.2f}: recall {s['recall50']:.3f} (IoU 0.5) {s['recall30']:.3f} (0.3) of {s['faces']} faces, "
            f"{s['false']} false in {s['frames']} frames = {s['false_per_frame']:.3f}; "
            f"points {s['point_error']:.3f}, eyes {s['eye_error']:.3f} of the eye distance"
        )
        out["labels"][t] = {k: v for k, v in s.items() if k not in ("missed", "wrong")}
    if a.list is not None:
        s = score_labels(detector, rec, items, a.list, a.offset)
        for m in s["missed"]:
            print("missed", *m)
        for w in s["wrong"]:
            print("false ", *w)
    if not a.labels_only:
        fifth = score_recordings(detector, rec, names)
        for name in sorted(names, key=lambda n: (CLASSES.index(rec.kind(n)), fifth[n])):
            print(f"{rec.kind(name):18} {fifth[name]:.2f}  {name}")
        for t in a.thresholds:
            hit = {c: [sum(fifth[n] >= t for n in names if rec.kind(n) == c), sum(rec.kind(n) == c for n in names)] for c in CLASSES}
            print(f"t {t:.2f}: hit " + ", ".join(f"{c} {k} of {m}" for c, (k, m) in hit.items()))
            out["recordings_hit"][t] = hit
    if a.json:
        with open(a.json, "w") as f:
            json.dump(out, f, indent=1)


if __name__ == "__main__":
    main()
