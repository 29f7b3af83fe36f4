"""ECR and the image registry are one place in the lab."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lab.answers import Answer, error_answer
from lab.place import ACCOUNT
from lab.registry import Registry as ImageRegistry
from lab.registry import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from lab.calls import Call, HttpRequest
    from lab.clients import Clients


class Registry:
    """The registry under ``/v2/``, whose pushes ECR's API tells of, and ECR's answers with addresses of the lab."""

    def __init__(self, root: Path, clients: Clients, address: str) -> None:
        self._clients = clients
        self._address = address
        self.wsgi = ImageRegistry(root, self._repository, self._record)
        # ECR's repositories begin empty with every lab, and so must their tags: an immutable one could never be pushed again.
        self.wsgi.forget()

    def after(self, call: Call, answer: Answer) -> Answer:
        """Say the lab's own address where ECR says its registry's, and drop the images of a repository that is deleted."""
        if call.operation == "DeleteRepository" and answer.status == HTTPStatus.OK:
            self.wsgi.forget(str(call.parameters.get("repositoryName")))
        host = f"{ACCOUNT}.dkr.ecr.{call.region}.amazonaws.com"
        body = answer.body.replace(f"https://{host}".encode(), f"http://{self._address}".encode())
        return Answer(answer.status, body.replace(host.encode(), self._address.encode()), answer.headers)

    def by_digest(self, uri: str) -> str:
        """The image of the lab's registry by digest, as Lambda pins it; any other uri as it is."""
        repository, tag, digest = self._parts(uri)
        found = "" if digest or not repository else self._digest(repository, {"imageTag": tag})
        return f"{self._address}/{repository}@{found}" if found else uri

    def refuse_missing(self, call: Call, request: HttpRequest) -> Answer | None:
        """Lambda's refusal of a function whose image was never pushed to the registry."""
        wanted = json.loads(request.body or b"{}")
        uri = str((wanted.get("Code") or wanted).get("ImageUri") or "")
        repository, tag, digest = self._parts(uri)
        if not repository or self._digest(repository, {"imageDigest": digest} if digest else {"imageTag": tag}):
            return None
        message = f"Source image {uri} does not exist. Provide a valid source image."
        return error_answer(call, 400, "InvalidParameterValueException", message)

    def _parts(self, uri: str) -> tuple[str, str, str]:
        """Repository, tag and digest of an image of this registry; all empty for another's."""
        if not uri.startswith(f"{self._address}/"):
            return "", "", ""
        named, _, digest = uri.removeprefix(f"{self._address}/").partition("@")
        repository, _, tag = named.partition(":")
        return repository, tag or "latest", digest

    def _digest(self, repository: str, wanted: dict[str, str]) -> str:
        try:
            found = self._clients.internal("ecr").describe_images(repositoryName=repository, imageIds=[wanted])
        except (BotoCoreError, ClientError):  # also for a name that can be no repository's
            return ""
        return str(found["imageDetails"][0]["imageDigest"])

    def _repository(self, name: str) -> Repository:
        try:
            found = self._clients.internal("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
        except ClientError:
            return Repository(exists=False)
        return Repository(immutable_tags=found.get("imageTagMutability") == "IMMUTABLE")

    def _record(self, repository: str, tag: str, digest: str, manifest: bytes, media_type: str) -> None:
        """Tell ECR of a push. Pushing the same again changes nothing there, as with the service."""
        if not tag:
            return
        try:
            self._clients.internal("ecr").put_image(
                repositoryName=repository,
                imageManifest=manifest.decode(),
                imageManifestMediaType=media_type,
                imageTag=tag,
                imageDigest=digest,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ImageAlreadyExistsException":
                raise
