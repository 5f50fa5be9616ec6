"""Cases (办件): applications, the cases they hold, and the law's steps on each of them.

An application, made from a life event or from one item, holds one case per item. A case has its own state, acceptance, clock,
decision, version and remedy; the application's state is derived from them. The room owns what an applicant handed in
and what was decided; people, certificates and the flow of work belong to ``registries.population``,
``registries.licences`` and ``domains.processes``.

Follows the Administrative Licensing Law (行政许可法) art. 32, 37–45 for acceptance, supplement, clocks and their stops, State
Council Order 716 (online services) and 国办发〔2019〕51号 (rating of government services).
"""
