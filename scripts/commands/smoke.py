"""Get the page, and ask every routed model for the labels of its own samples, through the Ingress."""

import argparse
import json
from collections.abc import Iterator
from urllib.parse import quote

import urllib3

from scripts.api import Api, wait_for
from scripts.arguments import add_cluster, add_namespace, take_cluster
from scripts.console import say
from scripts.errors import StepError
from scripts.kind import ADDRESS
from scripts.versions import ROOT

ROUTE_SECONDS = 30
PREFIX = "/model/"
PICTURE = ROOT / "models" / "digits" / "samples" / "7-0.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this step's options."""
    add_cluster(parser)
    add_namespace(parser)


def run(options: argparse.Namespace) -> None:
    """Take this step.

    Raises:
        StepError: nothing is routed, a model does not answer, or it labels its own samples wrong.
    """
    cluster = take_cluster(options)
    paths = sorted(set(find_routed(Api(cluster), options.namespace)))
    routed = [(path.removeprefix(PREFIX), host) for path, host in paths if path.startswith(PREFIX)]
    pages = [host for path, host in paths if path == "/"]
    if not routed and not pages:
        raise StepError(f"no Ingress in namespace {options.namespace} leads to a model or a page", "scripts/deploy")
    url = f"http://{ADDRESS}:{cluster.port()}"
    next_step = f"{cluster.kubectl_command} --namespace {options.namespace} get ingresses,inferenceservices,pods"
    failed = []
    for model, host in routed:
        try:
            Door(url, model, host, next_step).check()
        except StepError as error:
            say(f"  {model}: {error}")
            failed.append(model)
            continue
        header = f' --header "Host: {host}"' if host else ""
        say(f"    curl{header} --data-binary @{PICTURE.relative_to(ROOT)} {url}{PREFIX}{model}/predict")
    if failed:
        raise StepError(f"no right label from {', '.join(failed)}", next_step)
    for host in pages:
        page = Page(url, host)
        wait_for(page.missing, ROUTE_SECONDS, next_step)
        say(f"  the page: {page.address}")


def find_routed(api: Api, namespace: str) -> Iterator[tuple[str, str | None]]:
    """Yield every path that an Ingress of a namespace routes, and its host."""
    for ingress in api.list("networking.k8s.io/v1", "Ingress", namespace):
        for rule in ingress["spec"].get("rules") or []:
            for path in (rule.get("http") or {}).get("paths") or []:
                yield path["path"], rule.get("host")


class Page:
    """The web page behind the Ingress."""

    def __init__(self, url: str, host: str | None) -> None:
        self._url, self._headers = url, {"Host": host} if host else {}
        self.address = f"{url}/" if host is None else f"http://{host}:{url.rpartition(':')[2]}/"

    def missing(self) -> str | None:
        """Return why it is not shown; None when it is."""
        try:
            answer = urllib3.request("GET", f"{self._url}/", headers=self._headers, retries=False, timeout=10)
        except urllib3.exceptions.HTTPError as error:
            return f"{self._url} does not answer: {error}"
        if answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html"):
            return None
        return f"the page answers {answer.status}: {answer.data[:200].decode(errors='replace').strip()}"


class Door:
    """A model's address behind the Ingress."""

    def __init__(self, url: str, model: str, host: str | None, next_step: str) -> None:
        self._url, self._model, self._next_step = url, model, next_step
        self._headers = {"Host": host} if host else {}
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(10))

    def check(self) -> None:
        """Get its card, and a label for each of its samples.

        Raises:
            StepError: it does not answer in time, or a label is not the sample's own.
        """
        wait_for(self._missing, ROUTE_SECONDS, self._next_step)
        card = json.loads(self._get(f"{PREFIX}{self._model}").data)
        samples = card.get("samples") or []
        for sample in samples:
            found = self._label(self._get(quote(sample["path"])).data)
            if found != sample["label"]:
                raise StepError(
                    f"{self._model} says {found!r} to its sample {sample['path']}, which is {sample['label']!r}",
                    "is the bundle the one that was meant? its card says",
                )
        if samples:
            say(f"  {self._model}: {len(samples)} of {len(samples)} samples right, revision {card['revision']}")
        else:
            say(f"  {self._model}: no samples of its own; it answers {self._label(PICTURE.read_bytes())!r} to a digit")

    def _missing(self) -> str | None:
        try:
            answer = self._get(f"{PREFIX}{self._model}")
        except urllib3.exceptions.HTTPError as error:
            return f"{self._url} does not answer: {error}"
        return None if answer.status == 200 else self._describe(answer)

    def _get(self, path: str) -> urllib3.BaseHTTPResponse:
        return self._http.request("GET", f"{self._url}{path}", headers=self._headers)

    def _label(self, picture: bytes) -> str:
        answer = self._http.request(
            "POST", f"{self._url}{PREFIX}{self._model}/predict", body=picture, headers=self._headers
        )
        if answer.status != 200:
            raise StepError(self._describe(answer), "read its log")
        return str(json.loads(answer.data)["predictions"][0]["label"])

    def _describe(self, answer: urllib3.BaseHTTPResponse) -> str:
        return f"{self._model} answers {answer.status}: {answer.data[:200].decode(errors='replace').strip()}"
