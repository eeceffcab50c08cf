"""The page for people."""

from typing import Any


def test_the_page_names_each_route_under_the_strict_policy(client: Any, place: Any) -> None:
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200
    text = answer.content.decode()
    for route in ("GET /api/v1/me", "POST /api/v1/bookings", "/api/v1/bookings/{reference}/cancel"):
        assert route in text
    assert "starts_on" in text and "next_free" in text
    assert "<script>" not in text and "style=" not in text
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
