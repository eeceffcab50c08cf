"""What the server says when it refuses, in the shape of Stripe's own errors."""

from typing import Any


class ApiError(Exception):
    """An error that the real service would answer too."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {"message": message, "type": kind}
        if code:
            self.body["code"] = code
            self.body["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            self.body["param"] = param
        self.body.update(more)


class InvalidParams(ApiError):
    """The parameters do not fit the method: nothing began, so no key remembers it."""

    def __init__(self, message: str, param: str, code: str | None = None) -> None:
        super().__init__(400, message, code=code, param=param)


class NotModelled(ApiError):
    """The real service does it and this one does not: a test must hear of it, loudly."""

    def __init__(self, what: str) -> None:
        super().__init__(
            501,
            f"stripesim does not model {what}.",
            kind="api_error",
            code="stripesim_not_modelled",
            headers={"Stripe-Should-Retry": "false"},
        )


class ShapeError(Exception):
    """The server built an answer that the SDK's resource class does not know: our fault."""


def missing(kind: str, key: str, param: str = "id") -> ApiError:
    return ApiError(
        404 if param == "id" else 400,
        f"No such {kind.replace('.', ' ')}: '{key}'",
        code="resource_missing",
        param=param,
    )


def declined(code: str, decline_code: str | None, message: str, **more: Any) -> ApiError:
    if decline_code:
        more["decline_code"] = decline_code
    return ApiError(402, message, kind="card_error", code=code, **more)
