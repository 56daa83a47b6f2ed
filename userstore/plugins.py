"""From the settings to the user store plugin: the one place that knows which plugins there are."""

from dataclasses import dataclass

from mailcore.settings import Settings
from store.engine import Database
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor
from userstore.editor import Editor
from userstore.everyone import WithEveryone
from userstore.plugin import UserStore


@dataclass(frozen=True, slots=True)
class Plugin:
    """A user store, and how it is changed; `editor` is None where that is done elsewhere."""

    users: UserStore
    editor: Editor | None


def open_plugin(settings: Settings, database: Database) -> Plugin:
    """The plugin that `[userstore] plugin` names; the settings have been checked for there being such a one."""
    assert settings.userstore.plugin == "db"
    return Plugin(WithEveryone(DbUserStore(database)), DbEditor())
