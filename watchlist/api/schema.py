"""What drf-spectacular cannot see by itself: our tokens, and one address for each resource."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

Endpoint = tuple[str, str, str, Any]

_ERROR: Final = {
    "description": "What is wrong: with a field, or in general.",
    "oneOf": [
        {
            "type": "object",
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
            "required": ["detail", "code"],
        },
        {
            "type": "object",
            "description": "Messages by the name of the field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    ],
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """`Authorization: Bearer`."""

    target_class = "watchlist.api.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Describe the header."""
        del auto_schema
        return build_bearer_security_scheme_object("Authorization", "Bearer")


class SchemaView(SpectacularAPIView):
    """OpenAPI 3 as JSON; YAML for who asks for it."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]

    def _get_version_parameter(self, request: Request) -> None:
        """There is one version; the base class would put any text asked for into a header."""
        del request


class DocsView(SpectacularSwaggerSplitView):
    """The description as a page; refusals are JSON as everywhere in the API."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Render a refusal as JSON."""
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        if final.exception:
            final.accepted_renderer = JSONRenderer()
            final.accepted_media_type = "application/json"
        return final


def one_address_each(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Describe each address once, without the trailing slash that is accepted too."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def describe_errors(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Add the one shape of all refusals to every operation."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = _ERROR
    reference = {"schema": {"$ref": "#/components/schemas/Error"}}
    refusal = {
        "description": "The request is refused.",
        "content": {"application/json": reference},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = refusal
    return result
