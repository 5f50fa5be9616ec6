"""The engine on tantivy, behind the port: two shelves of documents, questions, marked snippets."""
