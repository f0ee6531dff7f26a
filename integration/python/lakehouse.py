"""Catalog clients, connected with the settings a user would paste."""

import duckdb
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError
from reference import load_extensions
from server import ACCESS_KEY, ENDPOINT, ICEBERG_URI, REGION, SECRET_KEY, WAREHOUSE

S3_SETTINGS = {
    's3.endpoint': ENDPOINT,
    's3.access-key-id': ACCESS_KEY,
    's3.secret-access-key': SECRET_KEY,
    's3.region': REGION,
    's3.path-style-access': 'true',
}


def pyiceberg_catalog(*, own_keys: bool = False, **properties: str) -> Catalog:
    """`own_keys`: files are reached with the caller's key, not with credentials that the catalog vends."""
    delegation = {'header.X-Iceberg-Access-Delegation': ''} if own_keys else {}
    oauth2 = {'credential': f'{ACCESS_KEY}:{SECRET_KEY}', 'scope': 'catalog', 'oauth2-server-uri': f'{ICEBERG_URI}/v1/oauth/tokens'}
    return load_catalog('lakehouse', **{'type': 'rest', 'uri': ICEBERG_URI, 'warehouse': WAREHOUSE, **S3_SETTINGS, **delegation, **(properties or oauth2)})


def sigv4_catalog() -> Catalog:
    return pyiceberg_catalog(**{
        'rest.sigv4-enabled': 'true', 'rest.signing-name': 'execute-api', 'rest.signing-region': REGION,
        'client.access-key-id': ACCESS_KEY, 'client.secret-access-key': SECRET_KEY, 'client.region': REGION,
    })


def fresh_namespace(catalog: Catalog, name: str) -> str:
    """An empty namespace; whatever an earlier run left in it is dropped."""
    try:
        catalog.create_namespace(name)
    except NamespaceAlreadyExistsError:
        for table in catalog.list_tables(name):
            catalog.drop_table(table)
    return name


def duckdb_lakehouse() -> duckdb.DuckDBPyConnection:
    """A DuckDB with the warehouse attached as `lh`."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'; SET threads = 2; SET autoinstall_known_extensions = false")
    load_extensions(connection, 'httpfs', 'avro', 'iceberg', 'tpch')
    host = ENDPOINT.split('://', 1)[1]
    connection.execute(f"""
        CREATE SECRET lake_files (TYPE s3, KEY_ID '{ACCESS_KEY}', SECRET '{SECRET_KEY}', REGION '{REGION}',
          ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false);
        CREATE SECRET lake_catalog (TYPE iceberg, CLIENT_ID '{ACCESS_KEY}', CLIENT_SECRET '{SECRET_KEY}',
          OAUTH2_SERVER_URI '{ICEBERG_URI}/v1/oauth/tokens');
        ATTACH '{WAREHOUSE}' AS lh (TYPE iceberg, ENDPOINT '{ICEBERG_URI}', SECRET lake_catalog, ACCESS_DELEGATION_MODE 'none');
    """)
    return connection


