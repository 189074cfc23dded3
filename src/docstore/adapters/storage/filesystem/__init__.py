"""Blobs as files in one folder. See `store.py`."""

from docstore.adapters.storage.filesystem.store import FilesystemBlobStore, connect

__all__ = ["FilesystemBlobStore", "connect"]
