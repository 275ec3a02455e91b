"""The network: a small depthwise encoder with a feature pyramid and one stride-4 head.

    thermal [n, 1, H, W]  ->  heat   [n,  1, H/4, W/4]  probability of a face centre in the cell
                              box    [n,  4, H/4, W/4]  px from the cell centre to left, top, right, bottom
                              points [n, 10, H/4, W/4]  px from the cell centre to the five points (x, y pairs)

Plain convolutions, ReLU, addition and nearest resizing only: whatever the ONNX runtime of the
gateway is, it has these. H and W must be multiples of 16.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDE = 4
# The raw outputs are of the order of one; a face is some tens of pixels wide.
BOX_UNIT = 12.0
POINT_UNIT = 8.0


class Conv(nn.Module):
    """Convolution, batch norm and (unless told otherwise) ReLU."""

    def __init__(self, cin, cout, k=3, stride=1, groups=1, relu=True):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)
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


class FaceNet(nn.Module):
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
        self.lat4 = Conv(32, 40, 1)
        self.mix8 = Block(40, 40)
        self.mix4 = Block(40, 40)
        self.head = Block(40, 48)
        self.heat = nn.Conv2d(48, 1, 1)
        self.box = nn.Conv2d(48, 4, 1)
        self.points = nn.Conv2d(48, 10, 1)
        nn.init.constant_(self.heat.bias, -4.0)  # faces are rare: start by saying "no"

    def raw(self, x):
        """Heat as a logit, box as log(px / BOX_UNIT), points as px / POINT_UNIT."""
        c4 = self.s4(self.stem(x))
        c8 = self.s8(c4)
        c16 = self.s16(c8)
        p8 = self.mix8(self.lat8(c8) + double(self.lat16(c16)))
        p4 = self.mix4(self.lat4(c4) + double(p8))
        f = self.head(p4)
        return self.heat(f), self.box(f), self.points(f)

    def forward(self, x):
        heat, box, points = self.raw(x)
        return torch.sigmoid(heat), torch.exp(box) * BOX_UNIT, points * POINT_UNIT

    def fold(self):
        """Fold every batch norm; returns self, for evaluation and export only."""
        self.eval()
        for m in list(self.modules()):
            if isinstance(m, Conv):
                m.fold()
        return self


def double(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def macs(net, height=160, width=128):
    """Multiply-accumulates of one picture, counted by hooks on the convolutions."""
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
    n = FaceNet()
    print(f"{parameters(n)} parameters, {macs(n) / 1e6:.1f} M multiply-accumulates at 128 x 160")
