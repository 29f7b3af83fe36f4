"""ECR and the image registry are one place in the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lab.answers import Answer
from lab.place import ACCOUNT
from lab.registry import Registry as ImageRegistry
from lab.registry import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from lab.calls import Call
    from lab.clients import Clients


class Registry:
    """The registry under ``/v2/``, whose pushes ECR's API tells of, and ECR's answers with addresses of the lab."""

    def __init__(self, root: Path, clients: Clients, address: str) -> None:
        self._clients = clients
        self._address = address
        self.wsgi = ImageRegistry(root, self._repository, self._record)

    def after(self, call: Call, answer: Answer) -> Answer:
        """Say the lab's own address where ECR says its registry's."""
        host = f"{ACCOUNT}.dkr.ecr.{call.region}.amazonaws.com"
        body = answer.body.replace(f"https://{host}".encode(), f"http://{self._address}".encode())
        return Answer(answer.status, body.replace(host.encode(), self._address.encode()), answer.headers)

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
