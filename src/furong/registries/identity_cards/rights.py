"""What a post may be allowed with identity cards."""

from __future__ import annotations

from furong.foundation.access.values import register_right

HANDLE = register_right(
    "identity_cards.handle", zh="办理居民身份证", en="Take applications for identity cards, and hand cards out"
)
PRODUCE = register_right(
    "identity_cards.produce", zh="身份证制证管理", en="Order identity cards, and take what the factory sends back"
)
COMPARE = register_right(
    "identity_cards.compare", zh="处理证件与人口库差异", en="Settle where a card and the register differ"
)
