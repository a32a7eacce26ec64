"""Whom the operator believes: publishers by their keys, and the places plugins may come from."""
