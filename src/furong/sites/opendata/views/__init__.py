"""Views of the public face: pages, downloads, feeds and the API of CKAN."""
