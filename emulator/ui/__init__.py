"""The pages: a playground, the API's reference, a console, an inspector."""
