"""Blobs as objects of any S3 server. See `store.py`."""

from docstore.adapters.storage.s3.store import S3BlobStore, connect

__all__ = ["S3BlobStore", "connect"]
