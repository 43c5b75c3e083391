"""MedServer: Google's MedGemma, served to the browsers and programs of one building by one command."""

__version__ = "0.1.0"
