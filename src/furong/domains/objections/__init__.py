"""Objections to data (数据校核, Order 809 art. 26): who finds an error says so, the provider corrects or answers, readers hear.

An objection names an information item of a resource and whom or what it is about. The provider has ten working days. Whoever
read the wrong value in the meantime is told once it is corrected; the audit log knows them. The data authority rules where the
two disagree, or where the provider does not answer. Owner of the data: the provider of the resource.
"""
