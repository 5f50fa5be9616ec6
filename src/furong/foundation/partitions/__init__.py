"""Tables partitioned by year: the years ahead are made before anything is written in them.

Whatever room owns such a table (``processes`` keeps what is over so), its parts are named ``TABLE_YEAR`` and what fits none goes
to ``TABLE_rest``. This room knows them from the database's catalogue alone and reads no row's content.
"""
