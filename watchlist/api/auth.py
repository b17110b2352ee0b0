"""Sign in and out with tokens."""

from __future__ import annotations

from copy import copy

from django.contrib.auth import authenticate, logout, user_logged_in
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import Resource
from watchlist.api.serializers.server import LoginSerializer, TokenSerializer
from watchlist.models import ApiToken


class LoginViews(Resource):
    """`/api/auth/login`; asks for no token, and takes no cookie into account."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    serializer_class = LoginSerializer

    @extend_schema(
        operation_id="login", auth=[], request=LoginSerializer, responses={200: TokenSerializer}
    )
    def create(self, request: Request) -> Response:
        """Get a new token; it is shown this once and stored hashed."""
        asked = self.sent(LoginSerializer).validated_data
        found = authenticate(
            request._request,  # noqa: SLF001 - the counting of failures needs Django's own request
            username=asked["username"],
            password=asked["password"],
        )
        if found is None:
            # The same words for a wrong name and a wrong password: neither is confirmed.
            raise AuthenticationFailed(_("Wrong user name or password."), "wrong_credentials")
        user = found
        ApiToken.objects.filter(user=user, expiry__lte=timezone.now()).delete()
        row, token = ApiToken.objects.create(user=user, name=asked.get("name", ""))
        user_logged_in.send(sender=User, request=_without_session(request), user=user)
        answer = {"token": token, "expires_at": row.expiry}
        return Response(TokenSerializer(answer).data)

    def get_authenticate_header(self, request: Request) -> str:
        """Name the scheme although none is read here, so that a refusal is a 401."""
        del request
        return "Bearer"


def _without_session(request: Request) -> HttpRequest:
    """The request for those who keep a log of it; they would begin a session to name it."""
    plain = copy(request._request)  # noqa: SLF001 - the log is written from Django's own request
    del plain.session
    return plain


class LogoutViews(Resource):
    """`/api/auth/logout`."""

    @extend_schema(operation_id="logout", request=None, responses={204: None})
    def create(self, request: Request) -> Response:
        """Revoke the token that was used; a browser's session ends."""
        if isinstance(request.auth, ApiToken):
            request.auth.delete()
        else:
            logout(request._request)  # noqa: SLF001 - Django ends the session of its own request
        return Response(status=status.HTTP_204_NO_CONTENT)
