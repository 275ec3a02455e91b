"""Train the face detector. See README.md for the whole sequence.

    python train.py --data ../../../shared/data --fold all --out face.pt --minutes 20
"""

import argparse
import os
import time

import numpy as np
import torch

import data
from augment import Sampler
from net import FaceNet, macs, parameters
from targets import loss, make_targets

SIZE = (160, 128)


class Stream(torch.utils.data.IterableDataset):
    """Endless batches; each worker has its own dice."""

    def __init__(self, recordings, items, batch, synthetic, seed):
        self.args = recordings, items
        self.batch, self.synthetic, self.seed = batch, synthetic, seed

    def __iter__(self):
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        seed = [self.seed, worker.id if worker else 0]
        sampler = Sampler(*self.args, size=SIZE, synthetic=self.synthetic, seed=seed)
        while True:
            parts = []
            for _ in range(self.batch):
                x, faces, ignore = sampler.sample()
                parts.append((x[None], *make_targets(faces, ignore, SIZE)))
            yield [torch.from_numpy(np.stack(p)) for p in zip(*parts)]


def moving_average(mean, new, count):
    """The mean over roughly the last third of the steps so far, at most some 400 of them."""
    return mean + (new - mean) * max(1 / 400, 3.0 / (count + 3.0))


def training_items(rec, args):
    """Everything the fold may see, as a list of `data.Item`."""
    wanted = data.FOLDS[args.fold]
    hand, _ = data.hand_labels(args.data)
    items = hand + data.negatives(rec)
    if args.pseudo:
        known = {i.key for i in items}
        pseudo, _ = data.read_labels(args.pseudo)
        items += [i for i in pseudo if i.key not in known]
    return [i for i in items if wanted(rec.unit(i.file))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="folder with recordings/ and labels/")
    p.add_argument("--fold", choices=data.FOLDS, default="all", help="camera units to train on")
    p.add_argument("--pseudo", help="labels written by pseudo.py")
    p.add_argument("--init", help="checkpoint to start from")
    p.add_argument("--out", required=True, help="checkpoint to write")
    p.add_argument("--steps", type=int, default=4000)
    p.add_argument("--minutes", type=float, help="stop in time, with the learning rate at its end by then")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--synthetic", type=float, default=0.2, help="share of drawn scenes")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rec = data.Recordings(args.data)
    items = training_items(rec, args)
    count = {k: sum(i.kind == k for i in items) for k in ("hand", "pseudo", "negative")}
    print(f"frames: {count}, faces: {sum(len(i.faces) for i in items)}", flush=True)

    net = FaceNet()
    if args.init:
        net.load_state_dict(torch.load(args.init, map_location="cpu", weights_only=True))
    print(f"{parameters(net)} parameters, {macs(net) / 1e6:.1f} M multiply-accumulates", flush=True)
    net = net.to(memory_format=torch.channels_last).train()
    slow = torch.optim.swa_utils.AveragedModel(net, avg_fn=moving_average, use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=1e-3)
    stream = Stream(rec, items, args.batch, args.synthetic, args.seed)
    batches = iter(torch.utils.data.DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4))

    start, step, mean = time.monotonic(), 0, np.zeros(3)
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
        total, parts = loss(net.raw(x.contiguous(memory_format=torch.channels_last)), *target)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        slow.update_parameters(net)
        step += 1
        mean += (np.array(parts) - mean) / min(step, 100)
        if step % 100 == 0:
            pace = (time.monotonic() - start) / step
            print(f"{step:6d}  heat {mean[0]:.3f}  box {mean[1]:.3f}  points {mean[2]:.3f}  {pace:.2f} s/step", flush=True)
            torch.save(slow.module.state_dict(), args.out)
    torch.save(slow.module.state_dict(), args.out)
    print(f"{step} steps in {time.monotonic() - start:.0f} s -> {os.path.basename(args.out)}")


if __name__ == "__main__":
    main()
