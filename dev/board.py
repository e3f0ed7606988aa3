"""One visible line per part of the stack while it starts and stops."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Board:
    """Lines that move on a terminal; elsewhere a plain line for every change."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.fields[part]:<12}"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def line(self, part: str, text: str = "starting") -> "Line":
        """A new line, counting from now."""
        return Line(self, self._live, self._live.add_task(text, total=1, part=part), part)


class Line:
    """What one part is doing."""

    def __init__(self, board: Board, live: Progress, task: TaskID, part: str) -> None:
        self._board = board
        self._live = live
        self._task = task
        self._part = part
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Show what it does now."""
        self._live.update(self._task, description=text)
        self._plain(text)

    def done(self, text: str) -> None:
        """Show that it is ready, and where."""
        self._live.update(self._task, description=text, completed=1)
        self._plain(f"{text} ({time.monotonic() - self._begun:.1f} s)")

    def failed(self) -> None:
        """Show that it is not going to be ready."""
        self._live.update(self._task, description="[red]failed")
        self._plain("failed")

    def _plain(self, text: str) -> None:
        if not self._board.console.is_terminal:
            self._board.console.print(f"{self._part:<12} {text}", highlight=False, soft_wrap=True)
