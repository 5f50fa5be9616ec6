"""The cascade of nodes: the operator above, those below, and what passes between them (`furong_link.nodes`).

Documents are signed with the operator's own key, pulled by the lower node and pushed at once when they take something away, as
gateways fetch their configuration. What a document says is joined into the configuration that this node signs for its gateways.
"""
