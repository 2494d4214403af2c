"""KServe's SDK is imported without its Kubernetes client and pandas, and nobody else misses them."""

import subprocess
import sys

WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("kubernetes", "pandas"):
            raise ModuleNotFoundError(name)
if {missing}:
    sys.meta_path.insert(0, Missing())
sys.argv = ["server", "--unknown-to-kserve"]
from model_server.kserve_sdk import Model, ModelRepository, ModelServer, grpc_predict_v2_pb2
assert Model("m").name == "m"
assert sys.argv == ["server", "--unknown-to-kserve"]
print(*[name for name in sys.modules if name.partition(".")[0] in ("kubernetes", "pandas")])
"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_is_imported_where_they_are_not_installed() -> None:
    assert run(WITHOUT.format(missing=True)) == ""


def test_where_they_are_installed_they_are_neither_loaded_nor_hidden() -> None:
    program = WITHOUT.format(missing=False)
    assert run(program) == ""
    assert run(
        program + "import pandas, kubernetes; print(pandas.DataFrame().empty, kubernetes.client.V1Pod().kind)"
    ) == ("True None")


def test_what_was_imported_before_stays() -> None:
    program = "import pandas as before\n" + WITHOUT.format(missing=False)
    assert run(program + "import pandas; print(pandas is before)").splitlines()[-1] == "True"
