"""Every access leaves a trace that cannot be quietly edited.

Each database has its own insert-only table of entries. A command's entry commits with the command; reads of persons
are committed before the answer leaves; a refusal's entry goes through a connection of its own and stays when the
transaction is rolled back. A sealer gathers committed entries into a Merkle log (RFC 6962) whose head is signed;
`furong audit verify` needs nothing but an export and the public key.

Owner of the data: the operator of the platform; a person may see who read their data (个人信息保护法 第四十五条).
"""
