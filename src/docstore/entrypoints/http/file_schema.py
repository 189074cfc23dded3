"""What the OpenAPI document says of a file beyond its fields' types."""

from typing import Any, Final

EXTRACTED: Final[dict[str, Any]] = {
    "type": ["object", "null"],
    "description": "What processing found; null before it is done.",
    "properties": {
        "checksums": {"type": "object", "additionalProperties": {"type": "string"}},
        "media_type": {"type": "string"},
        "text": {
            "type": ["object", "null"],
            "properties": {
                "characters": {"type": "integer"},
                "words": {"type": "integer"},
                "language": {"type": ["string", "null"]},
                "preview": {"type": "string"},
            },
        },
        "document": {"type": ["object", "null"]},
        "image": {"type": ["object", "null"]},
        "media": {"type": ["object", "null"]},
        "archive": {"type": ["object", "null"]},
    },
}

_AN_ID: Final = "0199d0a4-7c1e-7cc2-9d0e-5c0c7f3c1b11"
_A_TIME: Final = "2026-01-02T03:04:05.678901Z"

A_FILE: Final[dict[str, Any]] = {
    "id": _AN_ID,
    "owner_id": "0199d0a4-7c1e-7cc2-9d0e-5c0c7f3c1b12",
    "filename": "résumé.pdf",
    "title": None,
    "description": None,
    "tags": ["career"],
    "metadata": {"pages": 2},
    "size": 81234,
    "sha256": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
    "media_type": "application/pdf",
    "declared_media_type": "application/octet-stream",
    "key": "C0q5rSUc3l8JQ0o3xG2Hbg",
    "status": "uploaded",
    "uploaded_at": _A_TIME,
    "updated_at": _A_TIME,
    "processed_at": None,
    "extracted": None,
    "warnings": [],
    "error": None,
    "renditions": [],
    "links": {"self": f"/files/{_AN_ID}", "content": f"/files/{_AN_ID}/content"},
}
