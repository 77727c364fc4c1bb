"""Draws the pictures that the emulator delivers, and inspects the ones it is sent."""
