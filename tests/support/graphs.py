"""Graphs that mean no good."""

import onnx
from onnx import TensorProto, helper

from support.models import graph


def endless(iterations: int) -> onnx.ModelProto:
    """Counts up, for hours if need be, and then gives its input's mean."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["goes"]), helper.make_node("Add", ["sum", "sum"], ["sums"])],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["batch", 2]),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sums", TensorProto.FLOAT, ["batch", 2]),
        ],
    )
    model = graph()
    model.graph.node[-1].output[0] = "start"
    model.graph.node.append(helper.make_node("Loop", ["count", "true", "start"], ["output"], body=body))
    model.graph.initializer.append(helper.make_tensor("count", TensorProto.INT64, [], [iterations]))
    model.graph.initializer.append(helper.make_tensor("true", TensorProto.BOOL, [], [True]))
    return model


def slow_to_run(*, for_zeros: bool = False) -> onnx.ModelProto:
    """Counts for hours before it answers: for any bright sample, or for zeros as well."""
    model = endless(0)
    loop = model.graph.node.pop()
    [count] = [tensor for tensor in model.graph.initializer if tensor.name == "count"]
    model.graph.initializer.remove(count)
    model.graph.node.extend(
        [
            helper.make_node("ReduceMax", ["input"], ["brightest"], keepdims=0),
            helper.make_node("Add", ["brightest", "extra"], ["measure"]),
            helper.make_node("Mul", ["measure", "hours"], ["long"]),
            helper.make_node("Cast", ["long"], ["count"], to=TensorProto.INT64),
            loop,
        ]
    )
    for name, value in (("extra", float(for_zeros)), ("hours", 1e12)):
        model.graph.initializer.append(helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
    return model


def slow_to_load(products: int) -> onnx.ModelProto:
    """Multiplies large constants, which onnxruntime does once, while it loads: some 0.3 s each on one core."""
    model = graph()
    model.graph.node[-1].output[0] = "start"
    model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["m0"]))
    model.graph.node.extend(
        helper.make_node("MatMul", ["m0", f"m{number}"], [f"m{number + 1}"]) for number in range(products)
    )
    model.graph.node.append(helper.make_node("ReduceMax", [f"m{products}"], ["largest"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["start", "largest"], ["output"]))
    model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [2], [2048, 2048]))
    return model


def bomb(exponent: int) -> onnx.ModelProto:
    """Fills so many numbers, only to add the first of them, which is zero."""
    model = graph()
    model.graph.node[-1].output[0] = "start"
    model.graph.node.extend(
        [
            helper.make_node("Shape", ["input"], ["shape"]),
            helper.make_node("Gather", ["shape", "second"], ["ones"], axis=0),
            helper.make_node("Mul", ["ones", "many"], ["size"]),
            helper.make_node("ConstantOfShape", ["size"], ["filled"]),
            helper.make_node("Gather", ["filled", "none"], ["zero0"], axis=0),
            helper.make_node("Add", ["start", "zero0"], ["output"]),
        ]
    )
    for name, dims, value in (("second", [1], 1), ("many", [1], 1 << exponent), ("none", [], 0)):
        model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, dims, [value]))
    return model


def outside(location: str) -> onnx.ModelProto:
    """Keeps a number in another file."""
    model = graph()
    tensor = model.graph.initializer[2]
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


def from_the_future() -> onnx.ModelProto:
    """Of a file format that nobody knows yet."""
    model = graph()
    model.ir_version = 1000
    return model


def foreign() -> onnx.ModelProto:
    """Has an operator of somebody's own."""
    model = graph(domain="my.company")
    model.opset_import.append(helper.make_opsetid("my.company", 1))
    return model


def boasting() -> onnx.ModelProto:
    """Declares a tensor of more bytes than there are anywhere."""
    model = graph()
    model.graph.initializer.append(TensorProto(name="boast", data_type=TensorProto.FLOAT, dims=[1 << 40, 1 << 20]))
    return model


def nan() -> onnx.ModelProto:
    """Gives NaN for zeros."""
    model = graph()
    model.graph.initializer[2].float_data[0] = -1.0
    return model
