/** Ready-to-paste configuration of the engines, for the banner at start. Pure. */
export interface EngineEndpoint {
  /** Such as `http://127.0.0.1:9000`. */
  readonly endpoint: string
  readonly region: string
  readonly warehouse: string
  readonly accessKeyId: string
  /** The secret itself only where it is the well-known one. */
  readonly secretAccessKey: string
}

export interface EngineSnippet {
  readonly engine: string
  readonly where: string
  readonly text: string
}

export function engineSnippets(target: EngineEndpoint): readonly EngineSnippet[] {
  return [spark(target), trino(target), duckdb(target), pyiceberg(target)]
}

function spark({ endpoint, region, warehouse, accessKeyId, secretAccessKey }: EngineEndpoint): EngineSnippet {
  return {
    engine: 'Spark',
    where: 'spark-defaults.conf, with iceberg-spark-runtime and iceberg-aws-bundle',
    text: `spark.sql.extensions                            org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions
spark.sql.catalog.moraine                       org.apache.iceberg.spark.SparkCatalog
spark.sql.catalog.moraine.type                  rest
spark.sql.catalog.moraine.uri                   ${endpoint}/iceberg
spark.sql.catalog.moraine.warehouse             ${warehouse}
spark.sql.catalog.moraine.credential            ${accessKeyId}:${secretAccessKey}
spark.sql.catalog.moraine.oauth2-server-uri     ${endpoint}/iceberg/v1/oauth/tokens
spark.sql.catalog.moraine.io-impl               org.apache.iceberg.aws.s3.S3FileIO
spark.sql.catalog.moraine.s3.endpoint           ${endpoint}
spark.sql.catalog.moraine.s3.path-style-access  true
spark.sql.catalog.moraine.s3.access-key-id      ${accessKeyId}
spark.sql.catalog.moraine.s3.secret-access-key  ${secretAccessKey}
spark.sql.catalog.moraine.client.region         ${region}`,
  }
}

function trino({ endpoint, region, warehouse, accessKeyId, secretAccessKey }: EngineEndpoint): EngineSnippet {
  return {
    engine: 'Trino',
    where: 'etc/catalog/moraine.properties',
    text: `connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri=${endpoint}/iceberg
iceberg.rest-catalog.warehouse=${warehouse}
iceberg.rest-catalog.security=OAUTH2
iceberg.rest-catalog.oauth2.credential=${accessKeyId}:${secretAccessKey}
iceberg.rest-catalog.oauth2.server-uri=${endpoint}/iceberg/v1/oauth/tokens
fs.native-s3.enabled=true
s3.endpoint=${endpoint}
s3.path-style-access=true
s3.region=${region}
s3.aws-access-key=${accessKeyId}
s3.aws-secret-key=${secretAccessKey}`,
  }
}

function duckdb({ endpoint, region, warehouse, accessKeyId, secretAccessKey }: EngineEndpoint): EngineSnippet {
  const { host, protocol } = new URL(endpoint)
  return {
    engine: 'DuckDB',
    where: 'SQL, with the extensions httpfs and iceberg',
    text: `CREATE SECRET moraine_s3 (TYPE s3, KEY_ID '${accessKeyId}', SECRET '${secretAccessKey}', REGION '${region}',
  ENDPOINT '${host}', URL_STYLE 'path', USE_SSL ${protocol === 'https:'});
CREATE SECRET moraine_catalog (TYPE iceberg, CLIENT_ID '${accessKeyId}', CLIENT_SECRET '${secretAccessKey}',
  OAUTH2_SERVER_URI '${endpoint}/iceberg/v1/oauth/tokens');
ATTACH '${warehouse}' AS moraine (TYPE iceberg, ENDPOINT '${endpoint}/iceberg', SECRET moraine_catalog,
  ACCESS_DELEGATION_MODE 'none');`,
  }
}

function pyiceberg({ endpoint, region, warehouse, accessKeyId, secretAccessKey }: EngineEndpoint): EngineSnippet {
  return {
    engine: 'PyIceberg',
    where: 'Python',
    text: `from pyiceberg.catalog import load_catalog
catalog = load_catalog("moraine", **{
    "type": "rest",
    "uri": "${endpoint}/iceberg",
    "warehouse": "${warehouse}",
    "credential": "${accessKeyId}:${secretAccessKey}",
    "oauth2-server-uri": "${endpoint}/iceberg/v1/oauth/tokens",
    "s3.endpoint": "${endpoint}",
    "s3.region": "${region}",
    "s3.access-key-id": "${accessKeyId}",
    "s3.secret-access-key": "${secretAccessKey}",
})`,
  }
}
