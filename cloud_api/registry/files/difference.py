"""What a file changes in a registry. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from cloud_api.registry.files.draft import Draft, plain
from cloud_api.registry.files.formats import Format, carries
from cloud_api.registry.kinds import key_of, kind_of
from cloud_api.registry.places import Closure, Entry, Installation
from cloud_api.registry.registry import Registry

PLACES = frozenset({"zone", "space", "counter"})
"""What may be removed by being left out of a file; what served or closed it goes with it."""


class Difference(Struct, frozen=True, kw_only=True):
    """Entries by what becomes of them."""

    added: Sequence[Entry]
    changed: Sequence[tuple[Entry, Entry]]
    """Before and after."""
    removed: Sequence[Entry]
    gone: Sequence[Entry]
    """Places that the file's format carries and the file does not name; they stay."""
    same: Sequence[Entry]

    @property
    def named(self) -> Mapping[str, int]:
        """How many entries the file names, by kind."""
        return Counter(kind_of(each) for each in (*self.added, *(after for _, after in self.changed), *self.same))

    def counts(self, kind: str) -> tuple[int, int, int, int, int]:
        """Of one kind: added, changed, removed, gone, same."""
        changed = [after for _, after in self.changed]
        added, changed_, removed, gone, same = (
            sum(kind_of(each) == kind for each in entries)
            for entries in (self.added, changed, self.removed, self.gone, self.same)
        )
        return added, changed_, removed, gone, same


def difference(draft: Draft, known: Registry, tongue: Format, *, prune: bool) -> Difference:
    """What becomes of a registry's entries when a draft is taken in; `prune` removes the places that it leaves out."""
    before = {(kind_of(each), key_of(each)): each for each in known.entries}
    after = {(kind_of(each), key_of(each)): each for each in draft.entries}
    gone = [each for name, each in before.items() if name[0] in PLACES and name not in after and carries(tongue, each)]
    return Difference(
        added=[each for name, each in after.items() if name not in before],
        changed=[(before[name], each) for name, each in after.items() if name in before and before[name] != each],
        removed=_with_what_hangs_on_them(gone, known) if prune else (),
        gone=() if prune else gone,
        same=[each for name, each in after.items() if before.get(name) == each],
    )


def fields_that_differ(before: Entry, after: Entry) -> list[str]:
    """Their names, as files have them."""
    old, new = plain(before), plain(after)
    return [name for name in {**old, **new} if old.get(name) != new.get(name)]


def _with_what_hangs_on_them(gone: Sequence[Entry], known: Registry) -> list[Entry]:
    """What names another comes before it."""
    names = {key_of(each) for each in gone}
    hanging: list[Entry] = [
        each for each in known.entries if isinstance(each, Installation | Closure) and each.place in names
    ]
    return [*hanging, *reversed(gone)]
