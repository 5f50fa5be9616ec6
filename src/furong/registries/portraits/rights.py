"""What a post may be allowed in this register."""

from __future__ import annotations

from furong.foundation.access.values import register_right

VIEW = register_right("portraits.view", zh="查看人像", en="See portraits")
TAKE = register_right("portraits.take", zh="采集人像", en="Take portraits")
REVIEW = register_right("portraits.review", zh="复核人像", en="Look at doubtful portraits, and settle damaged ones")
