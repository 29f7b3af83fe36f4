"""Lambda's control plane: what moto forgets of a function, and images that are pinned when code is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.awslambda.models import ImageConfig, LambdaFunction

from lab.moto_engine.hooks import hooks
from lab.moto_engine.patching import replace, wrap

if TYPE_CHECKING:
    from collections.abc import Callable


def patch() -> None:
    replace(LambdaFunction, "invoke", _invoke_function)
    wrap(LambdaFunction, "__init__", _function_init)
    wrap(LambdaFunction, "update_configuration", _update_configuration)
    wrap(LambdaFunction, "update_function_code", _update_function_code)
    wrap(LambdaFunction, "get_configuration", _get_configuration)
    wrap(LambdaFunction, "get_code", _get_code)


# What moto forgets of a function's configuration, or does not let an update change.
_FORGOTTEN = ("DeadLetterConfig", "LoggingConfig", "TracingConfig", "EphemeralStorage", "KMSKeyArn")


def _function_init(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        self.lab_kept = {name: spec[name] for name in _FORGOTTEN if name in spec}
        original(self, account_id, spec, *rest, **named)
        _resolve_image(self)

    return init


def _update_configuration(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, changes: dict[str, Any]) -> Any:
        self.lab_kept = {**self.lab_kept, **{name: changes[name] for name in _FORGOTTEN if name in changes}}
        if "ImageConfig" in changes:
            self.image_config = ImageConfig(changes["ImageConfig"])
        return original(self, changes)

    return update


def _update_function_code(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, changes: dict[str, Any]) -> Any:
        self.code = dict(self.code)  # the published versions share it
        original(self, changes)
        _resolve_image(self)
        return self.get_configuration()

    return update


def _resolve_image(function: Any) -> None:
    """Pin the image that the tag means now, as Lambda does when code is set."""
    uri = function.code.get("ImageUri")
    if uri:
        function.lab_image = hooks().resolve_image(uri)
        function.code_sha_256 = function.lab_image.partition("@sha256:")[2] or function.code_sha_256


def _get_configuration(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def get(self: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        return {**original(self, *arguments, **named), **self.lab_kept}

    return get


def _get_code(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def get(self: Any) -> dict[str, Any]:
        answer = original(self)
        if "ImageUri" in self.code:
            answer["Code"]["ResolvedImageUri"] = self.lab_image
        return answer

    return get


def _invoke_function(self: Any, body: str, _request_headers: Any, _response_headers: Any) -> str:
    invoke = hooks().invoke
    if invoke is not None:
        invoke(self.function_arn, body.encode())
    return ""
