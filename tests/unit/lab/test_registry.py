"""The image registry speaks enough of the OCI protocol, believes no digest, and lets no name out of its folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from lab.blobs import digest_of
from lab.registry import Registry, Repository

if TYPE_CHECKING:
    from pathlib import Path

TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG, LAYER = b'{"architecture": "amd64"}', b"a layer" * 1000


def push_blob(client: Client, name: str, blob: bytes) -> str:
    """Push as Podman does: begin, send in two pieces, finish."""
    where = client.post(f"/v2/{name}/blobs/uploads/").headers["Location"]
    half = len(blob) // 2
    assert client.patch(where, data=blob[:half]).status_code == 202
    assert (
        client.patch(where, data=blob[half:], headers={"Content-Range": f"{half}-{len(blob) - 1}"}).status_code == 202
    )
    assert client.put(where, query_string={"digest": digest_of(blob)}).status_code == 201
    return digest_of(blob)


def manifest(*, note: str = "") -> bytes:
    document = {"config": {"digest": digest_of(CONFIG)}, "layers": [{"digest": digest_of(LAYER)}], "note": note}
    return json.dumps(document).encode()


def push(client: Client, name: str, reference: str, *, note: str = "") -> Any:
    for blob in (CONFIG, LAYER):
        push_blob(client, name, blob)
    return client.put(f"/v2/{name}/manifests/{reference}", data=manifest(note=note), content_type=TYPE)


@pytest.fixture
def told() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def registry(tmp_path: Path, told: list[tuple[str, str, str]]) -> Registry:
    known = {"kuroshio-dev": Repository(immutable_tags=True), "a/b": Repository()}
    return Registry(
        tmp_path / "registry",
        lambda name: known.get(name, Repository(exists=False)),
        lambda name, tag, digest, *_: told.append((name, tag, digest)),
    )


@pytest.fixture
def client(registry: Registry) -> Client:
    return Client(registry)


def test_what_was_pushed_can_be_pulled_by_tag_and_by_digest(client: Client) -> None:
    assert push(client, "kuroshio-dev", "1a2b3c4").status_code == 201
    for reference in ("1a2b3c4", digest_of(manifest())):
        pulled = client.get(f"/v2/kuroshio-dev/manifests/{reference}")
        assert (pulled.data, pulled.content_type) == (manifest(), TYPE)
        assert pulled.headers["Docker-Content-Digest"] == digest_of(manifest())
    assert client.get(f"/v2/kuroshio-dev/blobs/{digest_of(LAYER)}").data == LAYER
    assert client.head(f"/v2/kuroshio-dev/blobs/{digest_of(LAYER)}").content_length == len(LAYER)
    assert client.get("/v2/kuroshio-dev/tags/list").json == {"name": "kuroshio-dev", "tags": ["1a2b3c4"]}


def test_the_control_plane_learns_of_each_manifest(client: Client, told: list[tuple[str, str, str]]) -> None:
    push(client, "a/b", "latest")
    push(client, "a/b", digest_of(manifest()))
    assert told == [("a/b", "latest", digest_of(manifest())), ("a/b", "", digest_of(manifest()))]


def test_an_address_means_the_image_whose_configuration_was_pushed(client: Client, registry: Registry) -> None:
    push(client, "kuroshio-dev", "1a2b3c4")
    for end in (":1a2b3c4", f"@{digest_of(manifest())}"):
        assert registry.image_id(f"127.0.0.1:4580/kuroshio-dev{end}") == digest_of(CONFIG).removeprefix("sha256:")


def test_a_registry_made_anew_on_the_same_folder_knows_the_images(client: Client, tmp_path: Path) -> None:
    push(client, "kuroshio-dev", "1a2b3c4")
    assert Registry(tmp_path / "registry").image_id("127.0.0.1:1/kuroshio-dev:1a2b3c4")


@pytest.mark.parametrize(
    "uri", ["kuroshio-dev", "x/../../etc:passwd", "h/kuroshio-dev:never", "h/../kuroshio-dev:1a2b3c4", ""]
)
def test_an_address_of_nothing_is_a_lookup_error(client: Client, registry: Registry, uri: str) -> None:
    push(client, "kuroshio-dev", "1a2b3c4")
    with pytest.raises(LookupError):
        registry.image_id(uri)


def test_an_immutable_tag_may_be_pushed_again_but_not_moved(client: Client) -> None:
    assert push(client, "kuroshio-dev", "1a2b3c4").status_code == 201
    assert push(client, "kuroshio-dev", "1a2b3c4").status_code == 201
    moved = push(client, "kuroshio-dev", "1a2b3c4", note="another")
    assert (moved.status_code, moved.json["errors"][0]["code"]) == (400, "TAG_INVALID")
    assert client.get("/v2/kuroshio-dev/manifests/1a2b3c4").data == manifest()


def test_an_immutable_tag_is_free_again_in_a_repository_that_was_deleted(client: Client, registry: Registry) -> None:
    push(client, "a/b", "latest")
    push(client, "kuroshio-dev", "1a2b3c4")
    registry.forget("kuroshio-dev")
    assert client.get("/v2/kuroshio-dev/manifests/1a2b3c4").status_code == 404
    assert push(client, "kuroshio-dev", "1a2b3c4", note="another").status_code == 201
    assert client.get("/v2/a/b/manifests/latest").status_code == 200


def test_a_mutable_tag_moves(client: Client) -> None:
    push(client, "a/b", "latest")
    push(client, "a/b", "latest", note="another")
    assert client.get("/v2/a/b/manifests/latest").data == manifest(note="another")


def test_bytes_that_are_not_what_the_digest_says_are_dropped(client: Client, tmp_path: Path) -> None:
    where = client.post("/v2/a/b/blobs/uploads/").headers["Location"]
    client.patch(where, data=b"other bytes")
    refused = client.put(where, query_string={"digest": digest_of(LAYER)})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert client.get(f"/v2/a/b/blobs/{digest_of(LAYER)}").status_code == 404
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_manifest_under_another_s_digest_is_refused(client: Client) -> None:
    assert push(client, "a/b", digest_of(b"something else")).status_code == 400


def test_a_manifest_whose_blobs_never_came_is_refused(client: Client) -> None:
    refused = client.put("/v2/a/b/manifests/latest", data=manifest(), content_type=TYPE)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (404, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"manifests": []}', b'{"config": {}, "layers": []}'])
def test_what_is_no_image_manifest_is_refused(client: Client, body: bytes) -> None:
    refused = client.put("/v2/a/b/manifests/latest", data=body, content_type=TYPE)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (400, "MANIFEST_INVALID")


def test_a_repository_that_the_control_plane_does_not_know_takes_nothing(client: Client) -> None:
    refused = client.post("/v2/unknown/blobs/uploads/")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def test_a_blob_of_one_repository_is_mounted_into_another_without_sending_it_again(client: Client) -> None:
    digest = push_blob(client, "a/b", LAYER)
    mounted = client.post("/v2/kuroshio-dev/blobs/uploads/", query_string={"mount": digest, "from": "a/b"})
    assert mounted.status_code == 201


def test_a_blob_may_come_in_one_request(client: Client) -> None:
    sent = client.post("/v2/a/b/blobs/uploads/", query_string={"digest": digest_of(LAYER)}, data=LAYER)
    assert sent.status_code == 201
    assert client.get(f"/v2/a/b/blobs/{digest_of(LAYER)}").data == LAYER


def test_a_piece_at_the_wrong_place_is_refused_with_what_has_come_so_far(client: Client) -> None:
    where = client.post("/v2/a/b/blobs/uploads/").headers["Location"]
    client.patch(where, data=b"12345")
    refused = client.patch(where, data=b"x", headers={"Content-Range": "9-9"})
    assert (refused.status_code, refused.headers["Range"]) == (416, "0-4")


@pytest.mark.parametrize(
    "path", ["/v2/../x/manifests/y", "/v2/A/tags/list", "/v2/a/blobs/sha256:..", "/v2/a/b/blobs/uploads/../../x"]
)
def test_no_path_leads_out_of_the_protocol(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_client_s_first_question_is_answered(client: Client) -> None:
    answer = client.get("/v2/")
    assert (answer.status_code, answer.headers["Docker-Distribution-Api-Version"]) == (200, "registry/2.0")
