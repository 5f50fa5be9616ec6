"""The register of legal entities (法人库): companies, partnerships, sole traders, institutions, social organisations, branches.

Each entity has one unified social credit code (GB 32100), a name that nobody of the same place and trade bears
(《企业名称登记管理规定》, Order 734), its registration items (《市场主体登记管理条例》, Order 746, art. 8), the people in its
offices, and its history. The registrars own the facts: the market regulator those of enterprises, civil affairs those of social
organisations, the staffing office those of institutions. People are named by ``person_id``; beside it stands the name under which
they were registered, which is a registration item of its own.
"""
