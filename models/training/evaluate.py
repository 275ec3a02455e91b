"""Measure the two networks: on labelled frames, on every frame of every recording, on rendered scenes.

    python evaluate.py ../face.onnx ../landmarks.onnx --data ../../../shared/data --fold tko8
    python evaluate.py ../face.onnx ../landmarks.onnx --scenes scenes/test

`--fold` names what they were TRAINED on; only the other camera units are then scored. With `all`
everything is scored, and the figures are those of the training set. `menshen evaluate faces` measures
the same through the gateway's own code; this is for the choice between two trainings.
"""

import argparse

import numpy as np
import onnxruntime

import data
from crop import cut, to_picture
from decode import best, decode, iou
from targets import within

# A recording counts as a hit when this many frames show a face of at least this width.
HIT_FRAMES, HIT_WIDTH = 5, 18.0
CLASSES = ("near_frontal", "brief_passer_by", "far_side_or_back", "empty")
# Candidates of stage 1 that stage 2 looks at, at most; and how likely a face must be.
MOST_CANDIDATES, CANDIDATE, FACE = 12, 0.3, 0.55


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Detector:
    """Both stages, as the gateway runs them."""

    def __init__(self, finder, closer, candidate=CANDIDATE):
        self.finder, self.closer, self.candidate = session(finder), session(closer), candidate

    def __call__(self, t, threshold=FACE):
        """Picture in deg C -> [(score, box, points [8, 2], worn [3], pose [3])], best first."""
        t = np.ascontiguousarray(t, np.float32)
        x = data.pad16(data.normalise(t))[None, None]
        heat, box = (o[0] for o in self.finder.run(None, {"thermal": x}))
        found = []
        for likely, b in decode(heat, box, self.candidate)[:MOST_CANDIDATES]:
            points, traits, pose, edges = (o[0] for o in self.closer.run(None, {"crop": cut(t, b)[None, None]}))
            score = float(np.sqrt(likely * traits[0]))  # two opinions, formed on different things
            if score >= threshold:
                exact = to_picture(edges.reshape(2, 2), b).ravel()
                found.append((score, exact, to_picture(points.reshape(-1, 2), b), traits[1:], pose))
        return best(found)


def compare(found, item, n, errors, worn):
    """Count one frame into `n`; collect errors of points and (truth, answer) of worn things."""
    n["frames"] += 1
    used = set()
    for f in item.faces:
        n["faces"] += 1
        o, k = max(((iou(d[1], f.box), k) for k, d in enumerate(found)), default=(0.0, -1))
        n["hit"] += o >= 0.5
        if o < 0.3:
            n["missed"].append((*item.key, [round(float(v)) for v in f.box]))
            continue
        used.add(k)
        for truth, answer, kind in zip(f.worn, found[k][3], data.WORN):
            if not np.isnan(truth):
                worn.append((kind, bool(truth), float(answer), item.file))
        if f.points is not None:
            errors.append(np.linalg.norm(found[k][2] - f.points, axis=1) / max(np.linalg.norm(f.points[0] - f.points[1]), 1.0))
    for k, d in enumerate(found):
        if k in used or any(iou(d[1], f.box) >= 0.3 for f in item.faces) or any(within(d[1], g) > 0.5 for g in item.ignore + item.profile):
            continue
        n["false"].append((*item.key, round(d[0], 2), [round(float(v)) for v in d[1]]))


def score_labels(detector, rec, items, threshold=FACE, offset=0.0):
    n = {"frames": 0, "faces": 0, "hit": 0, "missed": [], "false": []}
    errors, worn = [], []
    for item in items:
        compare(detector(rec.celsius(item) + offset, threshold), item, n, errors, worn)
    e = np.array(errors) if errors else np.zeros((1, 8))
    return {
        **n,
        "recall": n["hit"] / max(n["faces"], 1),
        "false_per_frame": len(n["false"]) / max(n["frames"], 1),
        "points_of_eye_distance": float(e.mean()),
        "eyes_of_eye_distance": float(e[:, :2].mean()),
        "eyes_median": float(np.median(e[:, :2])),
        "worn": {k: balanced([w for w in worn if w[0] == k]) for k in data.WORN},
    }


def balanced(pairs):
    """-> (balanced accuracy at 0.5, yes, no)."""
    yes, no = [w[2] >= 0.5 for w in pairs if w[1]], [w[2] < 0.5 for w in pairs if not w[1]]
    return (round((np.mean(yes) + np.mean(no)) / 2, 3) if yes and no else None, len(yes), len(no))


def worn_recordings(detector, rec, names):
    """Median of "glasses" over each recording's faces, beside what its authors noted."""
    for name in names:
        answers = [d[3][0] for f in rec.frames[name][::3] for d in detector(data.celsius(f)) if d[1][2] - d[1][0] >= 20]
        if answers:
            yield name, "Glasses" in rec.index[name]["feature"], float(np.median(answers))


def score_recordings(detector, rec, names, lowest=0.1):
    """-> for each recording the HIT_FRAMES-th best score among its frames: hit at t if >= t."""
    result = {}
    for name in names:
        top = []
        for frame in rec.frames[name]:
            found = detector(data.celsius(frame), lowest)
            top.append(max((d[0] for d in found if d[1][2] - d[1][0] >= HIT_WIDTH), default=0.0))
        top = sorted(top, reverse=True)
        result[name] = top[HIT_FRAMES - 1] if len(top) >= HIT_FRAMES else 0.0
    return result


def score_scenes(detector, scenes, most):
    """Prints recall by turn and by width, false finds, canthi, flags, pose."""
    hits, canthi, worn, pose, false, backs, heads_seen = [], [], [], [], 0, 0, 0
    count = min(most, len(scenes))
    for i in range(count):
        faces, ignore, heads = scenes.people(i)
        found = detector(data.celsius(scenes.frames[i]))
        used = set()
        for f in faces:
            o, k = max(((iou(d[1], f.box), k) for k, d in enumerate(found)), default=(0.0, -1))
            hits.append((abs(f.pose[0]), f.box[2] - f.box[0], o >= 0.5))
            if o < 0.3:
                continue
            used.add(k)
            worn += [(kind, bool(t), float(a)) for kind, t, a in zip(data.WORN, f.worn, found[k][3])]
            pose.append(np.abs(found[k][4] - f.pose))
            if f.points is not None:
                e = np.linalg.norm(found[k][2] - f.points, axis=1) / (f.box[2] - f.box[0])
                canthi.append((f.box[2] - f.box[0], bool(f.worn[0]), e[2:4].mean(), e.mean(), abs(f.pose[0])))
        heads_seen += len(heads)
        for k, d in enumerate(found):
            if k in used or any(iou(d[1], f.box) >= 0.3 for f in faces) or any(within(d[1], g) > 0.5 for g in ignore):
                continue
            back = any(within(d[1], h) > 0.5 for h in heads)
            backs, false = backs + back, false + (not back)
    h = np.array(hits, float)
    print(f"{count} scenes: {false / count:.4f} false a scene, {backs} of {heads_seen} turned heads taken for faces")
    for low, high in ((0, 25), (25, 45), (45, 60)):
        s = h[(h[:, 0] >= low) & (h[:, 0] < high)]
        print(f"  turned {low}-{high}: recall {s[:, 2].mean():.3f} of {len(s)}")
    for low, high in ((9, 12), (12, 20), (20, 40), (40, 99)):
        s = h[(h[:, 1] >= low) & (h[:, 1] < high)]
        print(f"  {low}-{high} px wide: recall {s[:, 2].mean():.3f} of {len(s)}")
    c = np.array(canthi, float)
    for name, s in (("bare eyes", c[c[:, 1] == 0]), ("glasses", c[c[:, 1] == 1])):
        big = s[s[:, 0] >= 20]
        front = big[big[:, 4] < 25]
        print(f"  {name}: canthi off by {front[:, 2].mean():.4f} (20 px up, turned < 25), {big[:, 2].mean():.4f} (20 px up), {s[:, 2].mean():.4f} (all) of the face's width; all points {s[:, 3].mean():.4f}")
    print("  worn:", {k: balanced([w for w in worn if w[0] == k]) for k in data.WORN}, "pose off by", np.mean(pose, 0).round(1))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("finder", help="face.onnx")
    p.add_argument("closer", help="landmarks.onnx")
    p.add_argument("--data")
    p.add_argument("--scenes")
    p.add_argument("--most", type=int, default=10**6, help="scenes at most")
    p.add_argument("--fold", choices=data.FOLDS, default="all", help="what the model was trained on")
    p.add_argument("--candidates", type=float, nargs="+", default=[CANDIDATE])
    p.add_argument("--thresholds", type=float, nargs="+", default=[FACE])
    p.add_argument("--offset", type=float, default=0.0, help="deg C added to every picture (a badly reading camera)")
    p.add_argument("--labels-only", action="store_true", help="skip the pass over every frame")
    p.add_argument("--list", action="store_true", help="list misses and false finds")
    a = p.parse_args()

    if a.data:
        rec = data.Recordings(a.data)
        trained_on = data.FOLDS[a.fold]
        names = [n for n in rec.frames if a.fold == "all" or not trained_on(rec.unit(n))]
        hand = [i for i in data.hand_labels(a.data)[0] if i.file in names]
        known = {i.key for i in hand}
        more = [i for i in data.looked_at() if i.file in names and i.key not in known]
        print(f"{len(names)} recordings; the networks were trained on: {a.fold}")
        for candidate in a.candidates:
            detector = Detector(a.finder, a.closer, candidate)
            for t in a.thresholds:
                for what, items in (("hand labels", hand), ("further frames", more)):
                    s = score_labels(detector, rec, items, t, a.offset)
                    print(
                        f"{what}, candidates {candidate:.2f}, face {t:.2f}: recall {s['recall']:.3f} of {s['faces']}, "
                        f"{len(s['false'])} false in {s['frames']} frames = {s['false_per_frame']:.4f}; of the eye distance: eyes "
                        f"{s['eyes_of_eye_distance']:.3f} (median {s['eyes_median']:.3f}), points {s['points_of_eye_distance']:.3f}; {s['worn']}"
                    )
                    if a.list:
                        print(*(f"missed {m}" for m in s["missed"]), *(f"false {w}" for w in s["false"]), sep="\n")
        if not a.labels_only:
            detector = Detector(a.finder, a.closer, a.candidates[0])
            fifth = score_recordings(detector, rec, names)
            for name in sorted(names, key=lambda n: (CLASSES.index(rec.kind(n)), fifth[n])):
                print(f"{rec.kind(name):18} {fifth[name]:.2f}  {name}")
            for name, noted, seen in worn_recordings(detector, rec, names):
                print(f"glasses {'noted' if noted else '  -  '} {seen:.2f}  {name}")
    if a.scenes:
        score_scenes(Detector(a.finder, a.closer, a.candidates[0]), data.Scenes(a.scenes), a.most)


if __name__ == "__main__":
    main()
