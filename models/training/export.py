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

from net import CROP, NETS

AXES = {2: "height", 3: "width"}
CELLS = {2: "cells_y", 3: "cells_x"}
# What goes in and out, and the sizes that are tried.
SHAPES = {
    "face": ("thermal", ["heat", "box"], [(160, 128), (128, 160), (192, 144), (144, 192), (288, 384)]),
    "landmarks": ("crop", ["points", "traits", "pose", "box"], [(CROP, CROP)]),
}


def export(which, net, out):
    given, told, sizes = SHAPES[which]
    axes = {given: AXES, **{name: CELLS for name in told}} if which == "face" else None
    torch.onnx.export(
        net,
        (torch.zeros(1, 1, *sizes[0]),),
        out,
        input_names=[given],
        output_names=told,
        dynamic_axes=axes,
        opset_version=13,
        dynamo=False,
    )
    model = onnx.load(out)
    onnx.checker.check_model(model)
    model.doc_string = "Menshen, faces in thermal pictures; see MANIFEST.toml"
    onnx.save(model, out)
    check(which, net, out)
    return model


def check(which, net, path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given, told, sizes = SHAPES[which]
    for h, w in sizes:
        x = np.random.default_rng(0).random((1, 1, h, w), dtype=np.float32)
        with torch.no_grad():
            expected = [t.numpy() for t in net(torch.from_numpy(x))]
        for name, a, b in zip(told, expected, session.run(None, {given: x})):
            if not np.allclose(a, b, rtol=1e-3, atol=1e-3):
                raise SystemExit(f"{name} differs at {h} x {w}: {np.abs(a - b).max()}")


def stamp(which, path):
    """Put the file's hash into the manifest beside it, if there is one."""
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    manifest = Path(path).with_name("MANIFEST.toml")
    if manifest.exists():
        text = manifest.read_text()
        own = rf'(?ms)(^\[{which}\]$.*?^sha256 = )"[^"]*"'
        manifest.write_text(re.sub(own, rf'\1"{digest}"', text, count=1))
    return digest


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("which", choices=NETS)
    p.add_argument("checkpoint", help="a .pt file written by train.py")
    p.add_argument("--out", help="default: the network's file in models/")
    a = p.parse_args()
    out = a.out or str(Path(__file__).parent.parent / f"{a.which}.onnx")
    net = NETS[a.which]()
    net.load_state_dict(torch.load(a.checkpoint, map_location="cpu", weights_only=True))
    model = export(a.which, net.fold(), out)
    ops = sorted({n.op_type for n in model.graph.node})
    print(f"{out}: {len(model.SerializeToString())} bytes, operators: {', '.join(ops)}")
    print("sha256", stamp(a.which, out))
