"""Pictures that a person would upload, drop or paste."""

import base64
from io import BytesIO
from random import Random

from PIL import Image
from playwright.sync_api import FilePayload, Page

_HAND_OVER = """
([type, name, data, selector]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: 'image/png' }));
  const target = document.querySelector(selector);
  const options = { bubbles: true, cancelable: true };
  target.dispatchEvent(type === 'paste'
    ? new ClipboardEvent('paste', { ...options, clipboardData: transfer })
    : new DragEvent('drop', { ...options, dataTransfer: transfer }));
}
"""
_COPY = """
async (data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  await navigator.clipboard.write([
    new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) })
  ]);
}
"""


def png(color: str = "teal") -> bytes:
    """A small picture."""
    content = BytesIO()
    Image.new("RGB", (64, 48), color).save(content, "PNG")
    return content.getvalue()


def data_url() -> str:
    """A picture of 300x300 pixels as an address, of 360,000 characters."""
    content = BytesIO()
    noise = Random(1).randbytes(300 * 300 * 3)  # can't be packed
    Image.frombytes("RGB", (300, 300), noise).save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def file(name: str = "cat.png", color: str = "teal") -> FilePayload:
    """A picture as a file chooser hands it over."""
    return {"name": name, "mimeType": "image/png", "buffer": png(color)}


def drop(page: Page, name: str) -> None:
    """Drop a picture onto the page."""
    page.evaluate(_HAND_OVER, ["drop", name, base64.b64encode(png()).decode(), "#drop"])


def paste(page: Page) -> None:
    """Copy a picture to the real clipboard and press Ctrl+V."""
    page.evaluate(_COPY, base64.b64encode(png()).decode())
    page.keyboard.press("Control+V")
