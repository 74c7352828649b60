"""What the service remembers changes in whole steps."""

from __future__ import annotations

from pathlib import Path

from sagemaker_emulator.store import Store


def test_a_document_and_its_tags_are_deleted_in_one_step(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    store.insert("model", "wine", {"ModelName": "wine"})
    store.add_tags("arn:wine", {"stack": "mine"})
    store.add_tags("arn:beer", {"stack": "mine"})
    changes = store.changes

    store.delete("model", "wine", "arn:wine")

    assert (store.get("model", "wine"), store.tags("arn:wine")) == (None, {})
    assert store.changes == changes + 1
    assert store.tags("arn:beer") == {"stack": "mine"}
