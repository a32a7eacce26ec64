"""What is wrong with an expression, and where: a code with its sentence in both languages, and the character it is about."""

from typing import Any


class ExpressionError(ValueError):
    """`at` is the character from 1, 0 while nobody has said yet where it is."""

    def __init__(self, code: str, at: int = 0, **values: Any) -> None:
        super().__init__(code)
        self.code, self.at, self.values = f"mapping.expr.{code}", at, values

    @property
    def told(self) -> dict[str, Any]:
        """The values of the sentence."""
        return {"at": self.at, **self.values}

    def __str__(self) -> str:
        """In plain words for a log or a document's cause, which have no reader's language."""
        said = self.code.rpartition(".")[2].replace("_", " ")
        return f"{said} at character {self.at}" + (f": {self.values['what']}" if "what" in self.values else "")
