"""The messages of GRPCInferenceService: KServe's, and RepositoryIndex's, which Triton's clients send and it lacks.

They live in a descriptor pool of their own, because a pool takes a file only once, and the default one has KServe's.
"""

from typing import Any, Final

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from model_server.kserve_sdk import grpc_predict_v2_pb2

SERVICE_NAME: Final = "inference.GRPCInferenceService"
MODEL_INDEX: Final = ".inference.RepositoryIndexResponse.ModelIndex"


def _file_of(module: Any) -> FileDescriptorProto:
    file = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    return file


def _inference_file() -> FileDescriptorProto:
    """Return KServe's file with what it lacks.

    The fields are numbered as in https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto.
    """
    file = _file_of(grpc_predict_v2_pb2)
    request = file.message_type.add(name="RepositoryIndexRequest")
    _add_field(request, 1, "repository_name", FieldDescriptorProto.TYPE_STRING)
    _add_field(request, 2, "ready", FieldDescriptorProto.TYPE_BOOL)
    response = file.message_type.add(name="RepositoryIndexResponse")
    index = response.nested_type.add(name="ModelIndex")
    for number, name in enumerate(("name", "version", "state", "reason"), start=1):
        _add_field(index, number, name, FieldDescriptorProto.TYPE_STRING)
    models = _add_field(response, 1, "models", FieldDescriptorProto.TYPE_MESSAGE)
    models.label, models.type_name = FieldDescriptorProto.LABEL_REPEATED, MODEL_INDEX
    file.service[0].method.add(
        name="RepositoryIndex",
        input_type=".inference.RepositoryIndexRequest",
        output_type=".inference.RepositoryIndexResponse",
    )
    return file


def _add_field(message: Any, number: int, name: str, kind: "FieldDescriptorProto.Type.ValueType") -> Any:
    return message.field.add(number=number, name=name, type=kind, label=FieldDescriptorProto.LABEL_OPTIONAL)


POOL: Final = DescriptorPool()
"""What reflection shows: the inference service, health checking, and reflection itself."""
for _file in (_inference_file(), _file_of(health_pb2), _file_of(reflection_pb2)):
    POOL.Add(_file)

SERVICE: Final[ServiceDescriptor] = POOL.FindServiceByName(SERVICE_NAME)


def message_type(name: str) -> type[Message]:
    """Return the class of a message of the service, for instance ``ModelInferRequest``."""
    found: type[Message] = GetMessageClass(POOL.FindMessageTypeByName(f"inference.{name}"))
    return found
