"""What a post may be allowed in this register."""

from __future__ import annotations

from furong.foundation.access.values import register_right

READ = register_right("legal_entities.read", zh="查询法人登记信息", en="Look legal entities up")
REGISTER = register_right("legal_entities.register", zh="登记法人", en="Register legal entities")
END = register_right("legal_entities.end", zh="吊销或撤销登记", en="Revoke or annul a registration")
