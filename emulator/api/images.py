"""POST /v1/images/...: parse -> service -> render."""

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api.disturbance import meet_faults
from emulator.api.errors import TaskFailed
from emulator.api.http import (
    JsonAnswer,
    authenticate,
    base_url,
    call_of,
    open_form,
    read_json_object,
)
from emulator.api.schemas import Creation, check_image_count, form_fields, parse_creation
from emulator.core.errors import Refusal
from emulator.core.task import Task
from emulator.core.task_detail import creation_answer, failure, image_result
from emulator.service.planning import Order
from emulator.service.references import SentImage
from emulator.service.services import Services
from emulator.store.records import Caller

_IMAGE_FIELDS = ("image", "image[]")


async def create(request: Request, services: Services) -> ASGIApp:
    """POST images/generations: create a task and answer at once (TASK-1)."""
    caller = await authenticate(request, services)
    creation = parse_creation(await read_json_object(request, services), services.settings)
    return _accepted(request, services, await _create(request, services, caller, creation))


async def create_and_wait(request: Request, services: Services) -> ASGIApp:
    """POST images/generations/sync: create a task and wait for its end (SYNC-1)."""
    caller = await authenticate(request, services)
    creation = parse_creation(await read_json_object(request, services), services.settings)
    task = await _create(request, services, caller, creation)
    return await _end(request, services, task)


async def edit(request: Request, services: Services) -> ASGIApp:
    """POST images/edits: a form with images; wait for the end (EDIT-1)."""
    caller = await authenticate(request, services)
    async with open_form(request, services) as form:
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
        creation = parse_creation(form_fields(texts), services.settings)
        images = await _files(form, *_IMAGE_FIELDS)
        masks = await _files(form, "mask")
    check_image_count(len(images), "image")
    if not images:
        message = "image is required: one to 16 JPEG, PNG or WebP files."
        raise Refusal("missing_field", message, "image", claim="EDIT-1")
    if len(masks) > 1:
        message = f"mask takes one file; {len(masks)} were sent."
        raise Refusal("too_many_images", message, "mask", claim="EDIT-1")
    task = await _create(request, services, caller, creation, images, masks)
    return await _end(request, services, task)


async def upload(request: Request, services: Services) -> ASGIApp:
    """POST images/upload: keep a file and answer its link (UPL-1)."""
    caller = await authenticate(request, services)
    async with open_form(request, services) as form:
        files = await _files(form, "file")
    await meet_faults(request, services, caller)
    if len(files) != 1:
        message = f"file is required: one JPEG, PNG or WebP file; {len(files)} were sent."
        raise Refusal("missing_field", message, "file", claim="UPL-1")
    url = await services.references.upload(caller, files[0], base_url(request, services))
    return JsonAnswer({"url": url})


async def _create(
    request: Request,
    services: Services,
    caller: Caller,
    creation: Creation,
    images: list[SentImage] | None = None,
    masks: list[SentImage] | None = None,
) -> Task:
    image_request, base = creation.request, base_url(request, services)
    caller = await meet_faults(request, services, caller, prompt=image_request.prompt)
    services.tasks.check(caller, image_request)
    references = services.references
    if creation.reference_urls:
        found = await references.resolve(
            caller, creation.reference_urls, creation.reference_param, base
        )
        image_request = image_request._replace(references=found)
    if images:
        kept = tuple([await references.keep(caller, image) for image in images])
        mask = await references.keep(caller, masks[0]) if masks else None
        image_request = image_request._replace(references=kept, mask=mask)
    call = call_of(request)
    order = Order(caller, image_request, call.operation, base)
    task, faults = await services.tasks.create(order)
    call.task_id, call.faults = task.id, call.faults + faults
    return task


def _accepted(request: Request, services: Services, task: Task) -> ASGIApp:
    call_of(request).request_id = task.request_id  # REQ-2
    return JsonAnswer(creation_answer(task, services.settings.profile), 202)


async def _end(request: Request, services: Services, task: Task) -> ASGIApp:
    stored = await services.tasks.wait_for_end(task.id)
    call = call_of(request)
    call.now = stored.clock.now(services.clock.now())
    if not stored.task.has_ended(call.now):
        return _accepted(request, services, task)
    call.request_id = task.request_id
    error = failure(stored.task)
    if error is not None:
        raise TaskFailed(error)
    ttl_ms = services.settings.media_ttl_ms
    return JsonAnswer(image_result(stored.task, services.media_secret, ttl_ms))


async def _files(form: FormData, *names: str) -> list[SentImage]:
    files = []
    for name in names:
        for value in form.getlist(name):
            if not isinstance(value, UploadFile):
                message = f"{name} must be a file (a form part with a filename)."
                raise Refusal("invalid_type", message, name, claim="EDIT-2")
            files.append(SentImage(name, value.filename or name, await value.read()))
    return files
