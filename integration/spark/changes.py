"""Rows of Spark as DuckDB gives them, and changes to a month of flights made by both."""

from reference import over_arrow, reference

NAMESPACE = 'spark'
TABLE = f'lh.{NAMESPACE}'
TOTALS = 'SELECT carrier, count(*) AS n, sum(distance) AS d, sum(flight) AS f FROM {flights} GROUP BY carrier ORDER BY carrier'


def rows_of(spark, query: str) -> list[tuple]:
    """Through Arrow, so that both sides have the same Python values."""
    return over_arrow(spark.sql(query).toArrow(), 'SELECT * FROM {flights}')


def changed_reference():
    """The same changes made to the original, in DuckDB."""
    local = reference().cursor()
    local.execute("""
      CREATE OR REPLACE TEMP TABLE changed AS SELECT carrier, flight, day, distance FROM flights WHERE month = 5;
      DELETE FROM changed WHERE carrier = 'DL';
      UPDATE changed SET distance = distance + 1000 WHERE carrier = 'AA';
      UPDATE changed SET distance = 0 WHERE carrier = 'UA' AND day = 1;
      INSERT INTO changed VALUES ('ZZ', 1, 1, 1);
    """)
    return local.execute(f'{TOTALS.format(flights="changed")}').fetchall()


def change(spark, flights: str, table: str, properties: str) -> None:
    spark.sql(f"""CREATE TABLE {table} USING iceberg TBLPROPERTIES ({properties})
      AS SELECT carrier, flight, day, distance FROM {flights} WHERE month = 5""")
    spark.sql(f"DELETE FROM {table} WHERE carrier = 'DL'")
    spark.sql(f"UPDATE {table} SET distance = distance + 1000 WHERE carrier = 'AA'")
    spark.sql(f"""MERGE INTO {table} t USING (SELECT 'UA' AS carrier, 1 AS day UNION ALL SELECT 'ZZ', 1) s
      ON t.carrier = s.carrier AND t.day = s.day
      WHEN MATCHED THEN UPDATE SET distance = 0
      WHEN NOT MATCHED THEN INSERT (carrier, flight, day, distance) VALUES (s.carrier, 1, s.day, 1)""")
