"""The tables of the embedded store, version by version: facts in their own, the hourly sums beside them.

Only the schema's own triggers add to `hour`, and only for a part that is really new: neither in `part` nor in `kept`.
"""

_VERSION_1 = (
    """CREATE TABLE channel (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL, mode TEXT NOT NULL,
        UNIQUE (device, name, mode)
    ) STRICT""",
    """CREATE TABLE origin (
        id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, epoch TEXT NOT NULL,
        UNIQUE (gateway, epoch)
    ) STRICT""",
    """CREATE TABLE part (
        channel INTEGER NOT NULL,
        start INTEGER NOT NULL,    -- seconds since 1970
        origin INTEGER NOT NULL,
        part INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        in_ INTEGER NOT NULL,
        out INTEGER,
        covered_s INTEGER NOT NULL,
        flags INTEGER NOT NULL,    -- a union of bits
        source TEXT NOT NULL,
        PRIMARY KEY (channel, start, origin, part)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE hour (
        channel INTEGER NOT NULL,
        start INTEGER NOT NULL,
        in_ INTEGER NOT NULL,
        out INTEGER,
        covered_s INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        parts INTEGER NOT NULL,
        PRIMARY KEY (channel, start)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER part_adds_to_hour AFTER INSERT ON part BEGIN
        INSERT INTO hour
        VALUES (new.channel, new.start - new.start % 3600, new.in_, new.out, new.covered_s, new.flags, 1)
        ON CONFLICT DO UPDATE SET
            in_ = in_ + excluded.in_,
            out = coalesce(out + excluded.out, out, excluded.out),
            covered_s = covered_s + excluded.covered_s,
            flags = flags | excluded.flags,
            parts = parts + 1;
    END""",
    """CREATE TABLE space (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, channel TEXT NOT NULL,
        UNIQUE (device, channel)
    ) STRICT""",
    """CREATE TABLE state (
        space INTEGER NOT NULL,
        at INTEGER NOT NULL,       -- microseconds since 1970
        occupied INTEGER NOT NULL,
        since INTEGER,
        source TEXT NOT NULL,
        gateway TEXT NOT NULL,
        PRIMARY KEY (space, at)
    ) STRICT, WITHOUT ROWID""",
)

_VERSION_2 = (
    """CREATE TABLE correction (
        place TEXT NOT NULL,
        at INTEGER NOT NULL,       -- microseconds since 1970
        occupied INTEGER NOT NULL,
        cause TEXT NOT NULL,
        counted INTEGER,
        note TEXT NOT NULL,
        PRIMARY KEY (place, at)
    ) STRICT, WITHOUT ROWID""",
)

_VERSION_3 = (
    "ALTER TABLE part ADD COLUMN committed INTEGER NOT NULL DEFAULT 0",  # microseconds since 1970; 0 is always
    "ALTER TABLE state ADD COLUMN committed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE hour ADD COLUMN committed INTEGER NOT NULL DEFAULT 0",  # of its newest part
    "DROP TRIGGER part_adds_to_hour",
    """CREATE TRIGGER part_adds_to_hour AFTER INSERT ON part BEGIN
        INSERT INTO hour VALUES (
            new.channel, new.start - new.start % 3600, new.in_, new.out, new.covered_s, new.flags, 1, new.committed
        )
        ON CONFLICT DO UPDATE SET
            in_ = in_ + excluded.in_,
            out = coalesce(out + excluded.out, out, excluded.out),
            covered_s = covered_s + excluded.covered_s,
            flags = flags | excluded.flags,
            parts = parts + 1,
            committed = max(committed, excluded.committed);
    END""",
)

_VERSION_4 = (
    """CREATE TABLE kept (
        channel INTEGER NOT NULL,
        start INTEGER NOT NULL,    -- of the hour, seconds since 1970
        origin INTEGER NOT NULL,
        first INTEGER NOT NULL,    -- the least of the keys
        in_ INTEGER NOT NULL,
        out INTEGER,
        covered_s INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        parts INTEGER NOT NULL,
        keys TEXT NOT NULL,        -- ` 0 300 300.1 `: second within the hour, and the part where it is not 0
        committed INTEGER NOT NULL,
        PRIMARY KEY (channel, start, origin, first)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE horizon (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        before INTEGER NOT NULL    -- seconds since 1970
    ) STRICT""",
    """CREATE TRIGGER part_is_kept BEFORE INSERT ON part WHEN EXISTS (
        SELECT 1 FROM kept
        WHERE channel = new.channel AND start = new.start - new.start % 3600 AND origin = new.origin AND instr(
            keys, ' ' || (new.start % 3600) || CASE WHEN new.part THEN '.' || new.part ELSE '' END || ' '
        )
    ) BEGIN SELECT raise(IGNORE); END""",
)

_VERSION_5 = (
    """CREATE TABLE forgotten (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        before INTEGER NOT NULL    -- seconds since 1970
    ) STRICT""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
"""What brings a file from version n to n + 1, each applied wholly or not at all. Entries are added, never changed."""
