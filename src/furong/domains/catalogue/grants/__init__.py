"""Who may use what: requests for resources, their approval, and the grants that both sides sign (政务数据共享条例, chapter 3).

A department asks for items of a resource for a scenario, on a legal basis (`values.Terms`); the provider's data steward replies
in the statutory time, and where the class demands it the data authority reviews; the process that moves it is a pack's BPMN
(`flow`). What is consented becomes a grant; once both sides have signed it, `compiling` puts it into force at the decision point.
"""
