"""Read the bundles that an image gets, as the server will: verify.py FOLDER BUNDLE, the argument that named them."""

import sys
from pathlib import Path

from model_server.bundle import read_bundle
from model_server.errors import BundleError
from model_server.shelf import Shelf

folder, argument = sys.argv[1:]
try:
    for found, _ in Shelf((Path(folder),)).find_all():
        bundle = read_bundle(found)
        print(f"verified {bundle.manifest.name} ({bundle.version})")
except BundleError as error:
    sys.exit(f"--build-arg BUNDLE={argument} is not what the server takes: {error}")
