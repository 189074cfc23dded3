"""What is answered is what the models of the OpenAPI document say, to the letter."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.application.reading import Detail
from docstore.domain.file import Details, File
from docstore.domain.findings import Notice, Rendition
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.names import MediaType
from docstore.domain.step import StepState
from docstore.entrypoints.http.answers import told
from docstore.entrypoints.http.file_views import (
    FileDetail,
    FileView,
    FoundFile,
    LinksView,
    detail_fields,
    file_fields,
    found_fields,
)
from docstore.entrypoints.http.job_views import JobView, job_fields
from docstore.entrypoints.http.views import View
from docstore.testing import a_file, a_job, a_purge
from docstore.testing.builders import MOMENT, a_step

FILES = {
    "uploaded": a_file(
        details=Details(
            title="é\u2028 <b>",
            tags=("a", "b"),
            metadata={"n": 2**70, "f": 1.5, "deep": [{"x": None}]},
        )
    ),
    "processing": a_file(status=FileStatus.PROCESSING),
    "processed": a_file(
        status=FileStatus.PROCESSED,
        processed_at=MOMENT.replace(microsecond=120_000),
        extracted={"media_type": "image/png", "text": None},
        renditions=(
            Rendition(
                name="thumbnail", key="k", media_type=MediaType("image/png"),
                width=1, height=2, size=3,
            ),
        ),
        warnings=(Notice("truncated", "cut"),),
    ),
    "failed": a_file(status=FileStatus.FAILED),
}  # fmt: skip
JOBS = [
    a_purge(),
    a_job(status=JobStatus.PROCESSING, steps=(a_step("text", state=StepState.RUNNING),)),
    a_job(
        status=JobStatus.FAILED,
        steps=(
            a_step("text"),
            a_step("image", state=StepState.FAILED),
            a_step("ocr", state=StepState.SKIPPED),
        ),
    ),
]


def answer(fields: Mapping[str, Any]) -> Any:
    return json.loads(told(fields).body)


def by_model(model: type[View], fields: Mapping[str, Any], **more: Any) -> Any:
    """The same by way of `model`, which refuses values of other types than it names."""
    assert set(fields) <= set(model.model_fields)
    view = model.model_validate({**fields, **more})
    return json.loads(view.model_dump_json(by_alias=True, exclude_unset=True))


def links(file: File) -> LinksView:
    return LinksView(own=f"/api/files/{file.id}", content=f"/api/files/{file.id}/content")


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
class TestFiles:
    def test_a_file(self, file: File) -> None:
        fields = file_fields(file, "/api")
        assert list(fields) == list(FileView.model_fields)
        assert answer(fields) == by_model(FileView, fields, links=links(file))

    def test_one_with_its_jobs(self, file: File) -> None:
        fields = detail_fields(Detail(file, JOBS), "/api", 5)
        assert list(fields) == list(FileDetail.model_fields)
        assert answer(fields) == by_model(FileDetail, fields, links=links(file))

    @pytest.mark.parametrize("words", [[], ["b"]])
    def test_one_in_a_listing(self, file: File, words: Sequence[str]) -> None:
        fields = found_fields(file, "/api", words)
        assert ("highlight" in fields) == bool(words)
        assert answer(fields) == by_model(FoundFile, fields, links=links(file))


@pytest.mark.parametrize("job", JOBS, ids=["purge", "running", "failed"])
def test_a_job(job: Job) -> None:
    fields = job_fields(job, 5)
    assert list(fields) == list(JobView.model_fields)
    assert answer(fields) == by_model(JobView, fields)


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_times_are_written_as_by_the_model(moment: datetime) -> None:
    class Moment(View):
        at: datetime

    assert answer({"at": moment}) == json.loads(Moment(at=moment).model_dump_json())


def test_what_cannot_be_changed_is_an_object_too() -> None:
    assert answer({"a": MappingProxyType({"b": 1})}) == {"a": {"b": 1}}


def test_what_is_no_json_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="nothing that JSON knows"):
        told({"a": object()})
