"""The two networks.

Finder, stage 1, on the whole picture: where might a face be?

    thermal [1, 1, H, W]  ->  heat   [1, 1, H/4, W/4]  how likely a face has its centre in the cell
                              box    [1, 4, H/4, W/4]  px from the cell centre to left, top, right, bottom

Closer, stage 2, on a square around each candidate: is it a face that may be measured, and what does
it look like?

    crop    [1, 1, 48, 48] -> points [1, 16]  eight points, x and y, as fractions of the crop's side from its centre
                              traits [1, 4]   how likely: face, glasses, mask, brow covered
                              pose   [1, 3]   yaw, pitch, roll in degrees
                              box    [1, 4]   left, top, right, bottom edge, as the points: better than stage 1's

Plain convolutions, ReLU, addition, nearest resizing, one softmax: whatever the ONNX runtime of the
gateway is, it has these. H and W must be multiples of 16.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDE = 4
# The raw outputs are of the order of one; a face is some tens of pixels wide, a turned head some
# tens of degrees.
BOX_UNIT = 12.0
ANGLE_UNIT = 30.0
CROP = 48
POINTS = 8


class Conv(nn.Module):
    """Convolution, batch norm and (unless told otherwise) ReLU."""

    def __init__(self, cin, cout, k=3, stride=1, groups=1, relu=True, pad=None):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2 if pad is None else pad, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout)
        self.relu = relu

    def forward(self, x):
        x = self.bn(self.conv(x)) if self.bn is not None else self.conv(x)
        return F.relu(x) if self.relu else x

    def fold(self):
        """Put the batch norm into the convolution (evaluation only)."""
        self.conv = fuse_conv_bn_eval(self.conv, self.bn)
        self.bn = None


class Block(nn.Module):
    """Depthwise k x k, then pointwise; a shortcut where the shapes allow one."""

    def __init__(self, cin, cout, k=3, stride=1):
        super().__init__()
        self.depthwise = Conv(cin, cin, k, stride, groups=cin)
        self.pointwise = Conv(cin, cout, 1, relu=False)
        self.shortcut = stride == 1 and cin == cout

    def forward(self, x):
        y = self.pointwise(self.depthwise(x))
        return F.relu(x + y) if self.shortcut else F.relu(y)


class Foldable(nn.Module):
    def fold(self):
        """Fold every batch norm; returns self, for evaluation and export only."""
        self.eval()
        for m in list(self.modules()):
            if isinstance(m, Conv):
                m.fold()
        return self


class Finder(Foldable):
    def __init__(self):
        super().__init__()
        self.stem = Conv(1, 16, 3, 2)  # 1/2
        self.s4 = nn.Sequential(Block(16, 32, 3, 2), Block(32, 32))
        self.s8 = nn.Sequential(Block(32, 64, 3, 2), Block(64, 64), Block(64, 64))
        # 5 x 5 here: whether a head faces us is told by its surroundings too
        # (shoulders, neck, hair), so the deepest cells must see a whole person.
        self.s16 = nn.Sequential(Block(64, 96, 5, 2), Block(96, 96, 5), Block(96, 96, 5), Block(96, 96, 5))
        self.lat16 = Conv(96, 40, 1)
        self.lat8 = Conv(64, 40, 1)
        self.mix8 = Block(40, 40)
        # Narrow from here on: these cells are sixteen times as many as the deepest ones.
        self.down8 = Conv(40, 24, 1)
        self.lat4 = Conv(32, 24, 1)
        self.mix4 = Block(24, 24)
        self.head = Block(24, 32)
        self.heat = nn.Conv2d(32, 1, 1)
        self.box = nn.Conv2d(32, 4, 1)
        nn.init.constant_(self.heat.bias, -4.0)  # faces are rare: start by saying "no"

    def raw(self, x):
        """Heat as a logit, box as log(px / BOX_UNIT)."""
        c4 = self.s4(self.stem(x))
        c8 = self.s8(c4)
        c16 = self.s16(c8)
        p8 = self.mix8(self.lat8(c8) + double(self.lat16(c16)))
        p4 = self.mix4(self.lat4(c4) + double(self.down8(p8)))
        f = self.head(p4)
        return self.heat(f), self.box(f)

    def forward(self, x):
        heat, box = self.raw(x)
        return torch.sigmoid(heat), torch.exp(box) * BOX_UNIT


class Closer(Foldable):
    def __init__(self):
        super().__init__()
        self.stem = Conv(1, 16, 3, 2)  # 24
        self.s2 = Block(16, 24)
        self.s4 = nn.Sequential(Block(24, 48, 3, 2), Block(48, 48))  # 12
        self.s8 = nn.Sequential(Block(48, 96, 3, 2), Block(96, 96), Block(96, 96))  # 6
        # Coarse and far-seeing goes up to where the points are told to a fraction of a cell.
        self.lat8 = Conv(96, 48, 1)
        self.lat4 = Conv(48, 48, 1)
        self.mix4 = Block(48, 48)
        self.down4 = Conv(48, 24, 1)
        self.lat2 = Conv(24, 24, 1)
        self.mix2 = Block(24, 24)
        self.where = nn.Conv2d(24, POINTS, 1)
        # What it is, is told from everything at once, each place weighed on its own.
        self.all = Conv(96, 96, CROP // 8, groups=96, pad=0)
        self.traits = nn.Conv2d(96, 4, 1)
        self.pose = nn.Conv2d(96, 3, 1)
        self.box = nn.Conv2d(96, 4, 1)
        side = CROP // 2
        grid = (torch.arange(side) + 0.5) / side - 0.5
        place = torch.stack([grid.repeat(side), grid.repeat_interleave(side)], 1)  # [576, (x, y)]
        self.register_buffer("place", place, persistent=False)

    def raw(self, x):
        """Points as fractions, traits as logits, pose in ANGLE_UNIT."""
        c2 = self.s2(self.stem(x))
        c4 = self.s4(c2)
        c8 = self.s8(c4)
        p4 = self.mix4(self.lat4(c4) + double(self.lat8(c8)))
        p2 = self.mix2(self.lat2(c2) + double(self.down4(p4)))
        # Each point is the middle of gravity of its own map.
        weight = torch.softmax(self.where(p2).flatten(2), dim=2)
        points = torch.matmul(weight, self.place).flatten(1)
        a = self.all(c8)
        return points, self.traits(a).flatten(1), self.pose(a).flatten(1), self.box(a).flatten(1)

    def forward(self, x):
        points, traits, pose, box = self.raw(x)
        return points, torch.sigmoid(traits), pose * ANGLE_UNIT, box


NETS = {"face": Finder, "landmarks": Closer}


def double(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def macs(net, height=160, width=128):
    """Multiply-accumulates of one input, counted by hooks on the convolutions."""
    total = 0

    def count(m, _, out):
        nonlocal total
        total += out.shape[2] * out.shape[3] * m.weight.numel()

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 1, height, width))
    for h in hooks:
        h.remove()
    return total


if __name__ == "__main__":
    for name, size in (("face", (160, 128)), ("landmarks", (CROP, CROP))):
        n = NETS[name]()
        print(f"{name}: {parameters(n)} parameters, {macs(n, *size) / 1e6:.1f} M multiply-accumulates at {size}")
