"""Run by Alembic for each command; the connection and its transaction belong to the caller."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from backend.migrations import all_tables


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A revision must not depend on SQLModel's own name for a string."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_tables() if context.config.attributes.get("tables") else None,
    transactional_ddl=True,
    compare_type=True,
    render_item=_render,
)
context.run_migrations()
