"""A self-made root and the certificate that seals documents. Filled in by `document_signer`."""
