"""S3 in memory, one bucket with versions."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from botocore.response import StreamingBody

from tests.unit.world.fake_sagemaker import Document, Refused

LONGEST_KEY = 1024  # bytes
SMALLEST_PART = 5 * 1024 * 1024  # bytes; the last may be smaller
MADE = datetime(2026, 11, 20, 10, tzinfo=UTC)
_KEPT = ("ContentType", "ContentEncoding", "Metadata", "CacheControl", "ContentDisposition", "ServerSideEncryption")


@dataclass
class Version:
    """One version of an object."""

    body: bytes
    etag: str
    version_id: str | None
    headers: Document = field(default_factory=dict)
    tags: list[Document] = field(default_factory=list)

    def described(self) -> Document:
        return {
            "ETag": self.etag,
            "VersionId": self.version_id,
            "LastModified": MADE,
            "ContentLength": len(self.body),
            "ContentType": "binary/octet-stream",
            "Metadata": {},
            **self.headers,
        }


@dataclass
class FakeBucket:
    """Objects by key, each with its versions, oldest first; ``None`` is the marker of a deletion."""

    objects: dict[str, list[Version | None]] = field(default_factory=dict)
    uploads: dict[str, Document] = field(default_factory=dict)
    name: str = "sageline-data"
    keeps_versions: bool = True
    made: int = 0

    # ---- one object ----

    def put_object(self, request: Document) -> Document:
        content = _content(request)
        self._check_condition(request)
        version = self._add(request, content, f'"{_md5(content)}"')
        return {"ETag": version.etag, "VersionId": version.version_id}

    def get_object(self, request: Document) -> Document:
        found = self._find(request)
        body, answer = found.body, found.described()
        if asked := re.fullmatch(r"bytes=(\d*)-(\d*)", request.get("Range", "")):
            first, last = (int(end) if end else None for end in asked.groups())
            size = len(body)
            start = max(size - (last or 0), 0) if first is None else first
            end = size if first is None or last is None else min(last + 1, size)
            if start >= size:
                raise Refused("InvalidRange", "The requested range is not satisfiable")
            body = body[start:end]
            answer |= {"ContentRange": f"bytes {start}-{end - 1}/{size}", "ContentLength": len(body)}
        return answer | {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def head_object(self, request: Document) -> Document:
        try:
            return self._find(request).described()
        except Refused as refused:
            code, message = {"PreconditionFailed": ("412", "Precondition Failed")}.get(refused.code, ("404", "Not Found"))
            raise Refused(code, message) from None

    def delete_object(self, request: Document) -> Document:
        self._check_condition(request)
        versions = self.objects.get(request["Key"])
        if versions and "VersionId" in request:
            versions[:] = [item for item in versions if item is None or item.version_id != request["VersionId"]]
        elif versions:
            versions.append(None)
        return {}

    def copy_object(self, request: Document) -> Document:
        source = self._source(request["CopySource"])
        if request.get("CopySourceIfMatch", source.etag).strip('"') != source.etag.strip('"'):
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self._check_condition(request)
        if request.get("MetadataDirective") != "REPLACE":
            request = {**request, **source.headers}
        version = self._add(request, source.body, f'"{_md5(source.body)}"')
        if request.get("TaggingDirective") != "REPLACE":
            version.tags = list(source.tags)
        return {"CopyObjectResult": {"ETag": version.etag, "LastModified": MADE}, "VersionId": version.version_id}

    def put_object_tagging(self, request: Document) -> Document:
        self._find(request).tags = list(request["Tagging"]["TagSet"])
        return {}

    def get_object_tagging(self, request: Document) -> Document:
        return {"TagSet": self._find(request).tags}

    # ---- many ----

    def list_objects_v2(self, request: Document) -> Document:
        self._check_there(request)
        prefix, delimiter, most = request.get("Prefix", ""), request.get("Delimiter"), request.get("MaxKeys", 1000)
        after = request.get("ContinuationToken") or request.get("StartAfter") or ""
        contents: dict[str, Document] = {}
        folders: set[str] = set()
        for key in sorted(self.objects):
            newest = self.objects[key][-1] if self.objects[key] else None
            if newest is None or not key.startswith(prefix):
                continue
            head, found, _ = key[len(prefix) :].partition(delimiter or "\0")
            if found and delimiter:
                folders.add(prefix + head + delimiter)
            else:
                contents[key] = {"Key": key, "ETag": newest.etag, "Size": len(newest.body), "LastModified": MADE}
        names = sorted(name for name in (*contents, *folders) if name > after)
        page = names[:most]
        answer: Document = {"KeyCount": len(page), "IsTruncated": len(names) > most, "Prefix": prefix, "MaxKeys": most}
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = page[-1]
        if kept := [contents[name] for name in page if name in contents]:
            answer["Contents"] = kept
        if common := [{"Prefix": name} for name in page if name in folders]:
            answer["CommonPrefixes"] = common
        return answer

    def delete_objects(self, request: Document) -> Document:
        for item in request["Delete"]["Objects"]:
            self.delete_object({"Bucket": request["Bucket"], **item})
        return {"Deleted": [{"Key": item["Key"]} for item in request["Delete"]["Objects"]]}

    def list_object_versions(self, request: Document) -> Document:
        self._check_there(request)
        prefix, delimiter, most = request.get("Prefix", ""), request.get("Delimiter") or "\0", request.get("MaxKeys", 1000)
        folders: set[str] = set()
        entries: list[tuple[str, Document, bool]] = []
        for key, items in sorted(self.objects.items()):
            if not key.startswith(prefix):
                continue
            head, found, _ = key[len(prefix) :].partition(delimiter)
            if found:
                folders.add(prefix + head + delimiter)
                continue
            for item in reversed(items):
                listed: Document = {"Key": key, "IsLatest": item is items[-1]}
                if item is not None:
                    version = item.version_id or "null"
                    listed |= {"VersionId": version, "ETag": item.etag, "Size": len(item.body), "LastModified": MADE}
                entries.append((key, listed, item is not None))
        start = int(request.get("VersionIdMarker") or 0)  # a page's marker is how many entries come before it
        page = entries[start : start + most]
        answer: Document = {
            "IsTruncated": start + most < len(entries),
            "Versions": [listed for _, listed, is_version in page if is_version],
            "DeleteMarkers": [listed for _, listed, is_version in page if not is_version],
        }
        if answer["IsTruncated"]:
            answer |= {"NextKeyMarker": page[-1][0], "NextVersionIdMarker": str(start + most)}
        if folders and not start:
            answer["CommonPrefixes"] = [{"Prefix": folder} for folder in sorted(folders)]
        return answer

    # ---- in parts ----

    def create_multipart_upload(self, request: Document) -> Document:
        self._check_there(request)
        self.made += 1
        upload = f"upload-{self.made}"
        self.uploads[upload] = {"request": request, "parts": {}}
        return {"UploadId": upload, "Key": request["Key"], "Bucket": request["Bucket"]}

    def upload_part(self, request: Document) -> Document:
        content = _content(request)
        self._upload(request)["parts"][request["PartNumber"]] = content
        return {"ETag": f'"{_md5(content)}"'}

    def upload_part_copy(self, request: Document) -> Document:
        source = self._source(request["CopySource"]).body
        first, last = (int(end) for end in request["CopySourceRange"].removeprefix("bytes=").split("-"))
        content = source[first : last + 1]
        self._upload(request)["parts"][request["PartNumber"]] = content
        return {"CopyPartResult": {"ETag": f'"{_md5(content)}"'}}

    def list_parts(self, request: Document) -> Document:
        parts = sorted(self._upload(request)["parts"].items())
        listed = [{"PartNumber": number, "ETag": f'"{_md5(body)}"', "Size": len(body)} for number, body in parts]
        return {"IsTruncated": False} | ({"Parts": listed} if listed else {})

    def complete_multipart_upload(self, request: Document) -> Document:
        parts = self._upload(request)["parts"]
        named = [(part["PartNumber"], part["ETag"].strip('"')) for part in request["MultipartUpload"]["Parts"]]
        if any(number not in parts or _md5(parts[number]) != etag for number, etag in named):
            raise Refused("InvalidPart", "One or more of the specified parts could not be found.")
        if any(len(parts[number]) < SMALLEST_PART for number, _ in named[:-1]):
            raise Refused("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
        digests = b"".join(hashlib.md5(parts[number], usedforsecurity=False).digest() for number, _ in named)
        self._check_condition(request)
        body = b"".join(parts[number] for number, _ in named)
        version = self._add(self.uploads.pop(request["UploadId"])["request"], body, f'"{_md5(digests)}-{len(named)}"')
        return {"ETag": version.etag, "VersionId": version.version_id}

    def abort_multipart_upload(self, request: Document) -> Document:
        self.uploads.pop(request["UploadId"], None)
        return {}

    def list_multipart_uploads(self, request: Document) -> Document:
        found = [{"UploadId": upload, "Key": kept["request"]["Key"]} for upload, kept in self.uploads.items()]
        return {"Uploads": found} if found else {}

    # ---- within ----

    def newest(self, key: str) -> Version | None:
        versions = self.objects.get(key)
        return versions[-1] if versions else None

    def _add(self, request: Document, body: bytes, etag: str) -> Version:
        self._check_there(request)
        self.made += 1
        headers = {name: request[name] for name in _KEPT if name in request}
        tags = [{"Key": key, "Value": value} for key, value in parse_qsl(request.get("Tagging", ""))]
        if request.get("ChecksumAlgorithm") == "SHA256":
            headers["ChecksumSHA256"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
        version = Version(body, etag, f"version-{self.made}" if self.keeps_versions else None, headers, tags)
        before = self.objects.get(_key(request), []) if self.keeps_versions else []
        self.objects[_key(request)] = [*before, version]
        return version

    def _find(self, request: Document) -> Version:
        self._check_there(request)
        versions = self.objects.get(_key(request), [])
        if "VersionId" in request:
            found = next((item for item in versions if item is not None and item.version_id == request["VersionId"]), None)
            if found is None:
                raise Refused("NoSuchVersion", "The specified version does not exist.")
        else:
            found = versions[-1] if versions else None
        if found is None:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        if request.get("IfMatch", found.etag).strip('"') != found.etag.strip('"'):
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        return found

    def _source(self, source: str) -> Version:
        """Of a copy: botocore has made one text of bucket, key and version."""
        path, _, version = source.partition("?versionId=")
        bucket, _, key = unquote(path).partition("/")
        return self._find({"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {}))

    def _upload(self, request: Document) -> Document:
        if request["UploadId"] not in self.uploads:
            raise Refused("NoSuchUpload", "The specified upload does not exist.")
        upload: Document = self.uploads[request["UploadId"]]
        return upload

    def _check_condition(self, request: Document) -> None:
        self._check_there(request)
        now = self.newest(_key(request))
        if "IfMatch" in request and now is None:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        wanted = request.get("IfMatch")
        if ("IfNoneMatch" in request and now) or (now and wanted and wanted.strip('"') != now.etag.strip('"')):
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

    def _check_there(self, request: Document) -> None:
        if request["Bucket"] != self.name:
            raise Refused("NoSuchBucket", "The specified bucket does not exist")


def _key(request: Document) -> str:
    key: str = request["Key"]
    if len(key.encode()) > LONGEST_KEY:
        raise Refused("KeyTooLongError", "Your key is too long")
    return key


def _content(request: Document) -> bytes:
    """What is sent. A transfer's body counts what is read of it once it is told that it is sent."""
    body = request.get("Body", b"")
    if hasattr(body, "signal_transferring"):
        body.signal_transferring()
    return bytes(body if isinstance(body, bytes | bytearray) else body.read())


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
