"""An ECR repository: which images it has, and how to be let in."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from kuroshio.adapters import aws
from kuroshio.errors import NotFound
from kuroshio.images.naming import PushedImage


@dataclass(frozen=True)
class Login:
    """Twelve hours' access to a registry. The password goes to the container command by its standard input only."""

    registry: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.registry}, {self.user}, password hidden)"


@dataclass(frozen=True)
class EcrRepository:
    """One repository by its address, registry/name."""

    address: str

    @property
    def name(self) -> str:
        """What ECR calls the repository."""
        return self.address.partition("/")[2]

    def find(self, tag: str) -> PushedImage | None:
        """Return the image of a tag, or None. Raises NotFound where there is no such repository."""
        with aws.translated(f"looking for {self.name}:{tag}"):
            ecr = aws.client("ecr")
            try:
                found = ecr.describe_images(repositoryName=self.name, imageIds=[{"imageTag": tag}])["imageDetails"]
            except ecr.exceptions.ImageNotFoundException:
                return None
        return PushedImage(self.address, tag, found[0]["imageDigest"]) if found else None

    def get(self, tag: str) -> PushedImage:
        """Return the image of a tag. Raises NotFound where it has not been pushed."""
        found = self.find(tag)
        if not found:
            raise NotFound(f"{self.address}:{tag} is not in the repository; push it: kuroshio image push")
        return found

    @staticmethod
    def login() -> Login:
        """Ask ECR for a token of this account's registry."""
        with aws.translated("asking ECR for a login"):
            granted = aws.client("ecr").get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(granted["authorizationToken"]).decode().partition(":")
        return Login(granted["proxyEndpoint"], user, password)
