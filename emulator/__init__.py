"""A local emulator of APIAny's asynchronous GPT-Image 2 API."""

__version__ = "0.1.0"
