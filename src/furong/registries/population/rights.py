"""What a post may be allowed in this register beside reading and searching."""

from __future__ import annotations

from furong.foundation.access.values import register_right

VERIFY = register_right("population.verify", zh="核验人员是否存在", en="Check that a person exists")
MATCH = register_right("population.match", zh="批量比对人口信息", en="Match files against the population register")
EXPORT = register_right("population.export", zh="导出人口信息", en="Export people from the population register")
CENTRES = register_right("population.centres", zh="查看各市人口中心", en="Watch the population register's city centres")
DUPLICATES = register_right(
    "population.duplicates", zh="处理重复户口", en="Decide about people who may be registered twice"
)
