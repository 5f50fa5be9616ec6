"""One gateway between a consumer and a provider, over real sockets, with every check on."""

from __future__ import annotations

from tests.link.conftest import Exchange


def test_a_granted_query_is_answered_within_its_terms_and_recorded(exchange: Exchange) -> None:
    with exchange.link() as link:
        answer = link.get("/births/list", grant="births-for-housing")
        assert answer.json() == {
            "items": [
                {
                    "name": "周**",
                    "number": "430***********0018",
                    "phone": "138****0000",
                    "address": "湖南省株洲市天元区****",
                    "weight_g": 3200,
                    "mother": {"name": "李**"},
                }
            ]
        }
        receipt = link.receipt(answer)
    assert receipt.record["consumer"] == "housing"
    assert receipt.record["rows"] == 1
    method, path, headers, _ = exchange.seen[0]
    assert (method, path) == ("GET", "/api/births/list")
    assert headers["furong-consumer"] == "housing"
    assert headers["furong-message"] == answer.message
    assert "signature" not in headers
