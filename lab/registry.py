"""An image registry on disk: as much of the OCI distribution protocol as ``push`` and ``pull`` of Docker and Podman speak.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md, and ECR's answers where ECR is stricter.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from lab.blobs import BlobStore, DigestMismatch, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
_DIGEST = r"sha256:[0-9a-f]{64}"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_URI = re.compile(rf"(?:[^/]+/)?(?P<name>{_NAME})(?:@(?P<digest>{_DIGEST})|:(?P<tag>{_TAG}))")
_ROUTES = (
    ("base", re.compile(r"/v2/?")),
    ("uploads", re.compile(rf"/v2/(?P<name>{_NAME})/blobs/uploads/?")),
    ("upload", re.compile(rf"/v2/(?P<name>{_NAME})/blobs/uploads/(?P<upload>[0-9a-f]{{32}})")),
    ("blob", re.compile(rf"/v2/(?P<name>{_NAME})/blobs/(?P<digest>{_DIGEST})")),
    ("manifest", re.compile(rf"/v2/(?P<name>{_NAME})/manifests/(?P<reference>{_DIGEST}|{_TAG})")),
    ("tags", re.compile(rf"/v2/(?P<name>{_NAME})/tags/list")),
)


@dataclass(frozen=True)
class Repository:
    """What the control plane knows about a repository."""

    exists: bool = True
    immutable_tags: bool = False


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that the protocol refuses, with its status and code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Registry:
    """A WSGI application for ``/v2/…``. All state is in the folder ``root``: a registry made anew there knows it all.

    ``repository`` tells what the control plane knows of a name; ``on_manifest(repository, tag, digest, manifest,
    media_type)`` is called after a manifest was stored, with an empty tag for one that was pushed by digest.
    """

    def __init__(
        self,
        root: Path,
        repository: Callable[[str], Repository] = lambda _name: Repository(),
        on_manifest: Callable[[str, str, str, bytes, str], None] = lambda *_: None,
    ) -> None:
        self._blobs = BlobStore(root)
        self._repository = repository
        self._on_manifest = on_manifest
        self._tagging = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._route(request)
        except Refused as refused:
            response = _errors(refused.status, refused.code, str(refused))
        except DigestMismatch as mismatch:
            response = _errors(400, "DIGEST_INVALID", str(mismatch))
        except FileNotFoundError:
            response = _errors(404, "BLOB_UNKNOWN", f"there is nothing at {request.path}")
        response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response(environ, start_response)

    def image_id(self, uri: str) -> str:
        """The id (64 hex digits) of the image that ``registry/name:tag`` or ``registry/name@digest`` means here.

        An image's id is the digest of its configuration, in every engine without a store of its own for manifests.
        Raises LookupError where it was not pushed, or the address is malformed.
        """
        parts = _URI.fullmatch(uri)
        if not parts:
            raise LookupError(f"{uri!r} is not an image address such as 127.0.0.1:5000/kuroshio:1a2b3c4")
        try:
            digest = parts["digest"] or self._blobs.tag(parts["name"], parts["tag"])
            manifest, _ = self._blobs.manifest(parts["name"], digest)
        except FileNotFoundError as error:
            raise LookupError(f"{uri} was never pushed to the lab; run `kuroshio image push`") from error
        return str(json.loads(manifest)["config"]["digest"]).removeprefix("sha256:")

    def forget(self, repository: str | None = None) -> None:
        """Forget what was pushed to one repository, or to all: the control plane deleted it, or was made anew."""
        self._blobs.forget(repository)

    def _route(self, request: Request) -> Response:
        for kind, pattern in _ROUTES:
            found = pattern.fullmatch(request.path)
            handler = getattr(self, f"_{request.method.lower()}_{kind}", None)
            if found and handler:
                if found.groupdict() and not self._repository(found["name"]).exists:
                    raise Refused(404, "NAME_UNKNOWN", f"The repository with name '{found['name']}' does not exist")
                response: Response = handler(request, **found.groupdict())
                return response
        raise Refused(404, "UNSUPPORTED", f"{request.method} {request.path} is not part of this registry")

    def _get_base(self, _request: Request) -> Response:
        return Response("{}", content_type="application/json")

    # Blobs -------------------------------------------------------------------------------------------------------------

    def _head_blob(self, _request: Request, name: str, digest: str) -> Response:  # noqa: ARG002 - blobs are shared
        size = self._blobs.size(digest)
        return Response(headers={"Content-Length": str(size), "Docker-Content-Digest": digest})

    def _get_blob(self, _request: Request, name: str, digest: str) -> Response:  # noqa: ARG002
        headers = {"Content-Length": str(self._blobs.size(digest)), "Docker-Content-Digest": digest}
        return Response(self._blobs.read(digest), headers=headers, content_type="application/octet-stream")

    def _post_uploads(self, request: Request, name: str) -> Response:
        mounted, at_once = request.args.get("mount", ""), request.args.get("digest", "")
        if re.fullmatch(_DIGEST, mounted) and self._blobs.has(mounted):
            return _created(f"/v2/{name}/blobs/{mounted}", mounted)
        upload = self._blobs.begin()
        if at_once:
            return self._finish(request, name, upload, at_once)
        return _upload_state(202, name, upload, 0)

    def _patch_upload(self, request: Request, name: str, upload: str) -> Response:
        begins = request.headers.get("Content-Range", "").partition("-")[0]
        if begins and int(begins) != self._blobs.received(upload):
            return _upload_state(416, name, upload, self._blobs.received(upload))
        return _upload_state(202, name, upload, self._blobs.append(upload, request.stream))

    def _get_upload(self, _request: Request, name: str, upload: str) -> Response:
        return _upload_state(204, name, upload, self._blobs.received(upload))

    def _put_upload(self, request: Request, name: str, upload: str) -> Response:
        return self._finish(request, name, upload, request.args.get("digest", ""))

    def _delete_upload(self, _request: Request, name: str, upload: str) -> Response:  # noqa: ARG002
        self._blobs.abandon(upload)
        return Response(status=204)

    def _finish(self, request: Request, name: str, upload: str, digest: str) -> Response:
        if not re.fullmatch(_DIGEST, digest):
            raise Refused(400, "DIGEST_INVALID", f"{digest!r} is not a sha256 digest")
        self._blobs.append(upload, request.stream)
        self._blobs.finish(upload, digest)
        return _created(f"/v2/{name}/blobs/{digest}", digest)

    # Manifests ---------------------------------------------------------------------------------------------------------

    def _get_manifest(self, _request: Request, name: str, reference: str) -> Response:
        digest = reference if re.fullmatch(_DIGEST, reference) else self._tagged(name, reference)
        try:
            manifest, media_type = self._blobs.manifest(name, digest)
        except FileNotFoundError as error:
            raise Refused(404, "MANIFEST_UNKNOWN", f"{name}@{digest} was never pushed") from error
        return Response(manifest, headers={"Docker-Content-Digest": digest}, content_type=media_type)

    _head_manifest = _get_manifest  # werkzeug leaves the body out and the headers in

    def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        manifest = request.stream.read()
        digest, media_type = digest_of(manifest), request.headers.get("Content-Type", "")
        by_digest = re.fullmatch(_DIGEST, reference)
        if by_digest and digest != reference:
            raise DigestMismatch(f"the manifest's digest is {digest}, not {reference}")
        self._refuse_incomplete(manifest)
        with self._tagging:
            if not by_digest:
                self._refuse_moving(name, reference, digest)
            self._blobs.put_manifest(name, digest, manifest, media_type)
            if not by_digest:
                self._blobs.put_tag(name, reference, digest)
        self._on_manifest(name, "" if by_digest else reference, digest, manifest, media_type)
        return _created(f"/v2/{name}/manifests/{digest}", digest)

    def _get_tags(self, _request: Request, name: str) -> Response:
        return Response(json.dumps({"name": name, "tags": self._blobs.tags(name)}), content_type="application/json")

    def _tagged(self, name: str, tag: str) -> str:
        try:
            return self._blobs.tag(name, tag)
        except FileNotFoundError as error:
            raise Refused(404, "MANIFEST_UNKNOWN", f"{name}:{tag} was never pushed") from error

    def _refuse_incomplete(self, manifest: bytes) -> None:
        try:
            document = json.loads(manifest)
            wanted = [document["config"]["digest"], *(layer["digest"] for layer in document["layers"])]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(400, "MANIFEST_INVALID", "not an image manifest; Lambda takes no image indexes") from error
        missing = [digest for digest in wanted if not (re.fullmatch(_DIGEST, digest) and self._blobs.has(digest))]
        if missing:
            raise Refused(404, "MANIFEST_BLOB_UNKNOWN", f"blobs that were never pushed: {', '.join(missing)}")

    def _refuse_moving(self, name: str, tag: str, digest: str) -> None:
        if self._repository(name).immutable_tags and self._blobs.tags_to(name).get(tag, digest) != digest:
            raise Refused(
                400,
                "TAG_INVALID",
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the "
                "tag is immutable.",
            )


def _created(location: str, digest: str) -> Response:
    return Response(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _upload_state(status: int, name: str, upload: str, received: int) -> Response:
    headers = {
        "Location": f"/v2/{name}/blobs/uploads/{upload}",
        "Range": f"0-{max(received - 1, 0)}",
        "Docker-Upload-UUID": upload,
    }
    return Response(status=status, headers=headers)


def _errors(status: int, code: str, message: str) -> Response:
    body = json.dumps({"errors": [{"code": code, "message": message}]})
    return Response(body, status=status, content_type="application/json")
