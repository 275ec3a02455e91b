"""Train one of the two networks. See README.md for the whole sequence.

    python train.py face --data ../../../shared/data --scenes scenes --out face.pt --minutes 20
    python train.py landmarks --finder face.pt ... --out landmarks.pt --minutes 15
"""

import argparse
import os
import time

import numpy as np
import torch

import data
from augment import SIZE, Sampler
from net import CROP, NETS, macs, parameters
from targets import closer_examples, closer_loss, finder_example, finder_loss
from tempting import tempting

BATCH = {"face": 16, "landmarks": 64}
LOSS = {"face": finder_loss, "landmarks": closer_loss}
SHAPE = {"face": SIZE, "landmarks": (CROP, CROP)}
# Crops of one picture go into a pool this large before they are used, so that a batch is mixed.
POOL = 2000


class Stream(torch.utils.data.IterableDataset):
    """Endless batches; each worker has its own dice."""

    def __init__(self, which, sampler_args, seed):
        self.which, self.args, self.seed = which, sampler_args, seed

    def __iter__(self):
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        sampler = Sampler(**self.args, seed=[self.seed, worker.id if worker else 0])
        examples = self.pictures(sampler) if self.which == "face" else self.crops(sampler)
        while True:
            parts = [next(examples) for _ in range(BATCH[self.which])]
            yield [torch.from_numpy(np.stack(p)) for p in zip(*parts)]

    def pictures(self, sampler):
        while True:
            yield finder_example(sampler.sample(), SIZE)

    def crops(self, sampler):
        r, pool = sampler.rng, []
        while True:
            for e in closer_examples(r, sampler.sample()):
                if len(pool) < POOL:
                    pool.append(e)
                    continue
                k = int(r.integers(POOL))
                pool[k], e = e, pool[k]
                yield e


def moving_average(mean, new, count):
    """The mean over roughly the last third of the steps so far, at most some 400 of them."""
    return mean + (new - mean) * max(1 / 400, 3.0 / (count + 3.0))


def training_items(rec, args):
    """Everything the fold may see, as a list of `data.Item`."""
    wanted = data.FOLDS[args.fold]
    items = []
    for part in (data.hand_labels(args.data)[0], data.looked_at(), data.negatives(rec), data.read_pseudo(args.pseudo)):
        known = {i.key for i in items}
        items += [i for i in part if i.key not in known]
    return [i for i in items if wanted(rec.unit(i.file))]


def load(net, path):
    """Take over what fits: a network of another shape keeps its new parts as they are."""
    have = net.state_dict()
    found = torch.load(path, map_location="cpu", weights_only=True)
    fits = {k: v for k, v in found.items() if k in have and have[k].shape == v.shape}
    net.load_state_dict(fits, strict=False)
    print(f"{len(fits)} of {len(have)} tensors from {path}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("which", choices=NETS)
    p.add_argument("--data", help="folder with recordings/ and labels/; without it: rendered scenes alone")
    p.add_argument("--scenes", help="folder with scenes.u16 and scenes.jsonl")
    p.add_argument("--fold", choices=data.FOLDS, default="all", help="camera units to train on")
    p.add_argument("--finder", help="trained stage 1: what it takes for a face is shown to stage 2")
    p.add_argument("--pseudo", help="labels written by pseudo.py")
    p.add_argument("--init", help="checkpoint to start from")
    p.add_argument("--out", required=True, help="checkpoint to write")
    p.add_argument("--steps", type=int, default=10**6)
    p.add_argument("--minutes", type=float, help="stop in time, with the learning rate at its end by then")
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--rendered", type=float, default=0.4, help="share of rendered scenes")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    scenes = data.Scenes(args.scenes) if args.scenes else None
    rec, items = None, []
    if args.data:
        rec = data.Recordings(args.data)
        items = training_items(rec, args)
        kinds = sorted({i.kind for i in items})
        print({k: sum(i.kind == k for i in items) for k in kinds}, "faces:", sum(len(i.faces) for i in items), flush=True)
    sampler = {"recordings": rec, "items": items, "scenes": scenes, "rendered": args.rendered}
    if args.finder:
        sampler["tempting"] = tempting(args.finder, rec, items, scenes)

    net = NETS[args.which]()
    print(f"{parameters(net)} parameters, {macs(net, *SHAPE[args.which]) / 1e6:.1f} M multiply-accumulates", flush=True)
    if args.init:
        load(net, args.init)
    net = net.to(memory_format=torch.channels_last).train()
    slow = torch.optim.swa_utils.AveragedModel(net, avg_fn=moving_average, use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=1e-3)
    stream = Stream(args.which, sampler, args.seed)
    batches = iter(torch.utils.data.DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4))

    start, step, mean = time.monotonic(), 0, {}
    while True:
        # Progress by steps or by the clock, whichever is ahead: warm-up, then a cosine down.
        done = step / args.steps
        if args.minutes:
            done = max(done, (time.monotonic() - start) / (60 * args.minutes))
        if done >= 1:
            break
        rate = args.lr * min(1.0, (step + 1) / 100) * (0.5 * (1 + np.cos(np.pi * done)) + 0.005)
        for g in optimiser.param_groups:
            g["lr"] = rate
        x, *target = next(batches)
        total, parts = LOSS[args.which](net.raw(x.contiguous(memory_format=torch.channels_last)), *target)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        slow.update_parameters(net)
        step += 1
        for k, v in parts.items():
            v = v.item()
            mean[k] = mean.get(k, v) + (v - mean.get(k, v)) / min(step, 200)
        if step % 200 == 0:
            pace = (time.monotonic() - start) / step
            print(f"{step:6d}", *(f"{k} {v:.4f}" for k, v in mean.items()), f"{pace:.3f} s/step", flush=True)
            torch.save(slow.module.state_dict(), args.out)
    torch.save(slow.module.state_dict(), args.out)
    print(f"{step} steps in {time.monotonic() - start:.0f} s -> {os.path.basename(args.out)}")


if __name__ == "__main__":
    main()
