"""A Spark driver in this process, small enough to run beside the server."""

import os

from pyspark.sql import SparkSession


def spark_driver(settings: dict[str, str], memory: str = '1g') -> SparkSession:
    """The part's jars come by the driver's class path: `spark.jars` would copy hundreds of megabytes at every start."""
    builder = SparkSession.builder.master('local[2]').appName('integration')
    own = {
        'spark.driver.extraClassPath': os.environ['TEST_JARS'].replace(',', ':'),
        'spark.driver.memory': memory,
        'spark.ui.enabled': 'false',
        'spark.driver.host': '127.0.0.1',
        'spark.driver.bindAddress': '127.0.0.1',
        'spark.sql.session.timeZone': 'UTC',
        'spark.sql.shuffle.partitions': '2',
        'spark.default.parallelism': '2',
    }
    for name, value in {**own, **settings}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel('ERROR')
    return session
