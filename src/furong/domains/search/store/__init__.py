"""The page store: pages of government sites and the documents they link to, imported from a folder or an archive.

`furong search import` owns what lies here, until portals bring their own pages. The files are strangers' files: a child process
with bounds on time and memory reads them (`child`), nothing in them is ever run, and a file that cannot be read is a line of the
import's notes while the rest goes on. What is kept is text and structure, not the file.
"""
