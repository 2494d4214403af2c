"""KServe's SDK, without what a pod never uses of it.

``import kserve`` brings its client of the Kubernetes API with it, and pandas: half the seconds a server takes to
start, and 120 MB of its image, which therefore has neither (``images/pruned.txt``). While it is imported here, both are
modules in which every name is an empty class.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

UNUSED = ("kubernetes", "pandas")


class _Empty(ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _EmptyModules(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, _: Sequence[str] | None, __: ModuleType | None = None) -> ModuleSpec | None:
        unused = fullname.partition(".")[0] in UNUSED
        return ModuleSpec(fullname, self, is_package=True) if unused else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


@contextmanager
def _alone() -> Iterator[None]:
    """Hide those modules, and the command line, which kserve parses when it is imported."""
    finder, arguments = _EmptyModules(), sys.argv[1:]
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in UNUSED}
    sys.meta_path.insert(0, finder)
    sys.argv[1:] = []
    try:
        yield
    finally:
        sys.argv[1:] = arguments
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] in UNUSED]:
            del sys.modules[name]
        sys.modules.update(hidden)


with _alone():
    from kserve import Model, ModelRepository, ModelServer
    from kserve.protocol.grpc import grpc_predict_v2_pb2

__all__ = ["Model", "ModelRepository", "ModelServer", "grpc_predict_v2_pb2"]
