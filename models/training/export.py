"""Write a checkpoint as ONNX, and check that ONNX Runtime agrees with PyTorch on several sizes.

If a MANIFEST.toml lies beside the ONNX file, its `sha256` is brought up to date. The figures in it
are not: run evaluate.py and write them down.
"""

import argparse
import hashlib
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from net import FaceNet

AXES = {2: "height", 3: "width"}
CELLS = {2: "cells_y", 3: "cells_x"}


def export(checkpoint, out):
    net = FaceNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    net.fold()
    torch.onnx.export(
        net,
        (torch.zeros(1, 1, 160, 128),),
        out,
        input_names=["thermal"],
        output_names=["heat", "box", "points"],
        dynamic_axes={"thermal": AXES, "heat": CELLS, "box": CELLS, "points": CELLS},
        opset_version=13,
        dynamo=False,
    )
    model = onnx.load(out)
    onnx.checker.check_model(model)
    model.doc_string = "Menshen face detector for thermal pictures; see MANIFEST.toml"
    onnx.save(model, out)
    check(net, out)
    return model


def check(net, path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for h, w in [(160, 128), (128, 160), (192, 144), (144, 192), (288, 384)]:
        x = np.random.default_rng(0).random((1, 1, h, w), dtype=np.float32)
        with torch.no_grad():
            expected = [t.numpy() for t in net(torch.from_numpy(x))]
        for name, a, b in zip(("heat", "box", "points"), expected, session.run(None, {"thermal": x})):
            if not np.allclose(a, b, rtol=1e-3, atol=1e-3):
                raise SystemExit(f"{name} differs at {h} x {w}: {np.abs(a - b).max()}")


def stamp(path):
    """Put the file's hash into the manifest beside it, if there is one."""
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    manifest = Path(path).with_name("MANIFEST.toml")
    if manifest.exists():
        text = re.sub(r'(?m)^sha256 = "[^"]*"', f'sha256 = "{digest}"', manifest.read_text(), count=1)
        manifest.write_text(text)
    return digest


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("checkpoint", help="a .pt file written by train.py")
    p.add_argument("--out", default="../face.onnx")
    a = p.parse_args()
    model = export(a.checkpoint, a.out)
    ops = sorted({n.op_type for n in model.graph.node})
    print(f"{a.out}: {len(model.SerializeToString())} bytes, operators: {', '.join(ops)}")
    print("sha256", stamp(a.out))
