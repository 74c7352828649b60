"""Datasets: uploading, inspecting, and starting a run of several files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from sageline_client.answers import Inspection, StartedRun, Upload
from sageline_client.errors import ApiError, InvalidRequest
from sageline_client.http import Http, new_key, no_answer, segment

# S3 takes a file of 5 GB in one request, as long as it comes.
_UPLOAD_TIMEOUT = httpx.Timeout(60, connect=5)


@dataclass(frozen=True)
class Datasets:
    """The datasets of a stack."""

    _http: Http
    _plain: httpx.Client
    """Sends files to S3, whose URLs carry their own signature."""

    def create_upload(
        self,
        name: str,
        bytes: int,  # noqa: A002  # the API's word
        md5: str,
        *,
        format: str | None = None,  # noqa: A002  # as above
        file: str | None = None,
        spec: Mapping[str, object] | None = None,
    ) -> Upload:
        """A URL to which whoever has the file sends it, a browser say, within 15 minutes. :meth:`upload` does both.

        Args:
            bytes: the file's length.
            md5: of its content, 32 hexadecimal digits.
            format: such as ``parquet``; the API takes it for ``csv``.
            file: of a dataset of several files: this one's name, such as ``data-00.csv``.
            spec: stored beside it; without one a spec that was stored earlier stays in force.
        """
        asked = {"name": name, "bytes": bytes, "md5": md5, "format": format, "file": file, "spec": spec}
        body = {key: value for key, value in asked.items() if value is not None}
        answer: Upload = self._http.json("POST", "/datasets", body=body, repeatable=True)
        return answer

    def upload(
        self,
        name: str,
        path: Path | str,
        *,
        format: str | None = None,  # noqa: A002  # the API's word
        file: str | None = None,
        spec: Mapping[str, object] | None = None,
    ) -> Upload:
        """Send a file, which starts a run; or as ``file`` one of several, which starts none before :meth:`complete` does. Where
        it went.

        Args:
            format: without it, and without ``file``, what the path ends with: ``csv.gz`` of ``wines.csv.gz``.
            file, spec: as for :meth:`create_upload`.

        Raises:
            InvalidRequest: the file is empty; nothing is sent.
            ApiError: the API or S3 refuses it. Where the very same file is there already it is a Conflict.
        """
        path = Path(path)
        with path.open("rb") as content:
            md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            size = content.tell()
            if not size:
                needs = "A dataset has a line of column names and a row for each example."
                raise InvalidRequest(f"{path} is empty. {needs}", "InvalidRequest")
            if format is None and file is None:
                format = _ending(path)  # noqa: A001  # as above
            granted = self.create_upload(name, size, md5, format=format, file=file, spec=spec)
            content.seek(0)
            request = granted["upload"]
            try:
                response = self._plain.request(
                    request["method"], request["url"], content=content, headers=request["headers"], timeout=_UPLOAD_TIMEOUT
                )
            except httpx.TransportError as error:
                raise no_answer(_without_query(request["url"]), error) from error
        if not response.is_success:
            raise _refused(response)
        return granted

    def complete(self, name: str, *, idempotency_key: str | None = None) -> StartedRun:
        """Start a run of all files of a dataset that were uploaded.

        Args:
            idempotency_key: the same key starts one run, however often it is sent. A new one for each call, unless given.
        """
        path = f"/datasets/{segment(name)}/complete"
        answer: StartedRun = self._http.json("POST", path, idempotency_key=idempotency_key or new_key())
        return answer

    def inspect(self, *, name: str | None = None, uri: str | None = None, spec: Mapping[str, object] | None = None) -> Inspection:
        """What a run would make of a dataset that is in the stack's bucket, by its ``name`` or its ``uri``."""
        body = {key: value for key, value in {"name": name, "uri": uri, "spec": spec}.items() if value is not None}
        answer: Inspection = self._http.json("POST", "/datasets/inspect", body=body, repeatable=True)
        return answer


def _ending(path: Path) -> str | None:
    found = re.search(r"\.([a-z]+(?:\.(?:gz|zst))?)$", path.name.lower())
    return found[1] if found else None


def _without_query(url: str) -> str:
    """Its query is a signature, which nobody else shall read."""
    return url.partition("?")[0]


def _refused(response: httpx.Response) -> ApiError:
    """S3 answers in XML: ``<Error><Code>…</Code><Message>…</Message>``."""
    code = re.search("<Code>(.*?)</Code>", response.text)
    message = re.search("<Message>(.*?)</Message>", response.text)
    status = response.status_code
    text = f"S3 does not take the file (HTTP {status}): {message[1] if message else response.text[:200]}"
    return ApiError(text, code[1] if code else f"HTTP {status}", status=status)
