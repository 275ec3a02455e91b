"""What stage 1 takes for a face although it is none: stage 2 is shown that most of all."""

import numpy as np
import torch

import data
from decode import decode, iou
from net import Finder

LOWEST, MOST, SCENES = 0.05, 4, 4000


def tempting(checkpoint, rec, items, scenes):
    """-> {item key or ("scene", number): boxes}."""
    net = Finder()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    net.fold()

    def candidates(t):
        x = torch.from_numpy(data.pad16(data.normalise(t))[None, None])
        with torch.no_grad():
            heat, box = net(x)
        return [b for _, b in decode(heat[0].numpy(), box[0].numpy(), LOWEST)[: 2 * MOST]]

    def wrong(t, faces, ignore):
        known = [f.box for f in faces] + ignore
        return [b for b in candidates(t) if all(iou(b, k) < 0.3 for k in known)][:MOST]

    found = {i.key: wrong(rec.celsius(i), i.faces, i.ignore) for i in items}
    for n in range(min(len(scenes), SCENES) if scenes else 0):
        faces, ignore, _ = scenes.people(n)
        found["scene", n] = wrong(data.celsius(scenes.frames[n]), faces, ignore)
    print("tempting:", sum(len(b) for b in found.values()), "in", len(found), "pictures", flush=True)
    return {k: [np.asarray(b, np.float32) for b in v] for k, v in found.items() if v}
