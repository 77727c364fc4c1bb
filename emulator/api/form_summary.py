"""What the journal keeps of a multipart form."""

import json

from starlette.datastructures import FormData

_LONGEST_NAME = 200


def form_summary(form: FormData, kept_bytes: int) -> tuple[bytes, bool]:
    """Write a form as JSON: its texts, and what its files are, without their bytes.

    Returns:
        The summary, and whether its texts were cut to ``kept_bytes``.
    """
    fields, files, is_cut = {}, [], False
    for name, value in form.multi_items():
        if isinstance(value, str):
            kept = value.encode("utf-8", "replace")[:kept_bytes].decode("utf-8", "ignore")
            kept_bytes -= len(kept.encode())
            is_cut = is_cut or len(kept) < len(value)
            fields[name[:_LONGEST_NAME]] = kept
        else:
            files.append(
                {
                    "param": name[:_LONGEST_NAME],
                    "file_name": (value.filename or "")[:_LONGEST_NAME],
                    "bytes": value.size,
                    "content_type": (value.content_type or "")[:_LONGEST_NAME],
                }
            )
    return json.dumps({"fields": fields, "files": files}).encode(), is_cut
