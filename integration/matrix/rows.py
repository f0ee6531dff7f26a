"""The rows that every table of the matrix holds: flights, in columns of the types that all engines have."""

import datetime
import decimal
import functools

from reference import arrow_table, reference

# Cancelled flights have no delay.
FLIGHTS = """
  SELECT row_number() OVER (ORDER BY sched_dep_time, carrier, flight, origin) AS id, carrier, origin, CAST(flight AS INTEGER) AS flight,
    CAST(dep_delay AS INTEGER) AS delay, CAST(distance AS DOUBLE) AS distance, CAST(distance / 8 AS DECIMAL(9, 2)) AS fare,
    make_date(year, month, day) AS flown, CAST(time_hour AT TIME ZONE 'UTC' AS TIMESTAMP) + INTERVAL '123456 microseconds' AS departed
  FROM flights WHERE month = 1 AND day = 1 AND (sched_dep_time < 559 OR dep_time IS NULL)"""
COLUMNS = ['id', 'carrier', 'origin', 'flight', 'delay', 'distance', 'fare', 'flown', 'departed']
EVOLVED_COLUMNS = ['id', 'airline', 'origin', 'flight', 'delay', 'distance', 'fare', 'flown', 'departed', 'note']
# More than an int holds.
LATER_FLIGHT = 5_000_000_000


def arrow_flights():
    return arrow_table(f'SELECT * FROM ({FLIGHTS}) ORDER BY id')


@functools.cache
def flights() -> list[tuple]:
    return reference().execute(f'SELECT * FROM ({FLIGHTS}) ORDER BY id').fetchall()


def without_deleted() -> list[tuple]:
    """Two changes: a carrier's flights, and the cancelled ones of another."""
    return [row for row in flights() if row[1] != 'UA' and not (row[1] == 'AA' and row[4] is None)]


DELETES = ["carrier = 'UA'", "carrier = 'AA' AND delay IS NULL"]


def upserted() -> list[tuple]:
    """The rows of two carriers again, under their ids and with another delay."""
    return [(*row[:4], 7, *row[5:]) if row[1] in ('UA', 'AA') else row for row in flights()]


def changed_by_upsert() -> list[tuple]:
    return [row for row in upserted() if row[1] in ('UA', 'AA')]


def evolved_later() -> list[tuple]:
    """What is inserted after the schema has changed."""
    return [(1_000 + row[0], row[1], row[2], LATER_FLIGHT + row[3], *row[4:], f'nach Änderung {row[0]}') for row in flights()[:3]]


def evolved() -> list[tuple]:
    return [(*row, None) for row in flights()] + evolved_later()


def literal(value, timestamp: str = 'TIMESTAMP') -> str:
    match value:
        case None:
            return 'CAST(NULL AS INT)'
        case str():
            return f"'{value}'"
        case float():
            return f'{value:E}'
        case datetime.datetime():
            return f"{timestamp} '{value:%Y-%m-%d %H:%M:%S.%f}'"
        case datetime.date():
            return f"DATE '{value}'"
        case int() | decimal.Decimal():
            return str(value)
    raise TypeError(type(value))


def values(rows: list[tuple], timestamp: str = 'TIMESTAMP') -> str:
    return 'VALUES ' + ', '.join(f'({", ".join(literal(value, timestamp) for value in row)})' for row in rows)
