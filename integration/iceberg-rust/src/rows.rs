//! Rows of tables: written to Parquet files, and read from them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, Int64Array, RecordBatch};
use futures::TryStreamExt;
use iceberg::arrow::schema_to_arrow_schema;
use iceberg::expr::Reference;
use iceberg::scan::TableScan;
use iceberg::spec::{DataFile, DataFileFormat, Datum, NestedField, NestedFieldRef, PrimitiveType, Type};
use iceberg::table::Table;
use iceberg::writer::base_writer::data_file_writer::DataFileWriterBuilder;
use iceberg::writer::file_writer::ParquetWriterBuilder;
use iceberg::writer::file_writer::location_generator::{DefaultFileNameGenerator, DefaultLocationGenerator};
use iceberg::writer::file_writer::rolling_writer::RollingFileWriterBuilder;
use iceberg::writer::{IcebergWriter, IcebergWriterBuilder};
use iceberg::{Error, ErrorKind, Result};

/// The data files of `batches`, written below the table's location. `name` is theirs alone.
async fn write(table: &Table, name: String, batches: Vec<RecordBatch>) -> Result<Vec<DataFile>> {
    let metadata = table.metadata();
    let parquet = ParquetWriterBuilder::from_table_properties(&metadata.table_properties()?, metadata.current_schema().clone());
    let names = DefaultFileNameGenerator::new(name, None, DataFileFormat::Parquet);
    let rolling = RollingFileWriterBuilder::new_with_default_file_size(
        parquet,
        table.file_io().clone(),
        DefaultLocationGenerator::new(metadata)?,
        names,
    );
    let mut writer = DataFileWriterBuilder::new(rolling).build(None).await?;
    for batch in batches {
        writer.write(batch).await?;
    }
    writer.close().await
}

/// Write the flights of the first or the last six months into files of `copy`.
pub async fn copy_half(source: &Table, copy: &Table, half: i32) -> Result<Vec<DataFile>> {
    let month = Reference::new("month");
    let filter = if half == 0 { month.less_than_or_equal_to(Datum::long(6)) } else { month.greater_than(Datum::long(6)) };
    let batches = source.scan().with_filter(filter).build()?.to_arrow().await?.try_collect().await?;
    write(copy, format!("half-{half}"), batches).await
}

pub async fn totals(scan: TableScan) -> Result<(usize, i64)> {
    let batches: Vec<RecordBatch> = scan.to_arrow().await?.try_collect().await?;
    let distances = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().iter().flatten().collect::<Vec<_>>());
    Ok((batches.iter().map(RecordBatch::num_rows).sum(), distances.sum()))
}

/// The rows of a scan, each a line with tabs between its values: numbers and text as they are, decimals as unscaled
/// numbers, dates and times as days and microseconds since 1970, `\\N` for null.
pub async fn lines(scan: TableScan) -> Result<Vec<String>> {
    let batches: Vec<RecordBatch> = scan.to_arrow().await?.try_collect().await?;
    let mut lines = Vec::new();
    for batch in batches {
        let columns: Vec<Vec<String>> = batch.columns().iter().map(|column| texts(column.as_ref())).collect::<Result<_>>()?;
        lines.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join("\t")));
    }
    Ok(lines)
}

fn texts(column: &dyn Array) -> Result<Vec<String>> {
    fn numbers<T: ArrowPrimitiveType<Native: ToString>>(column: &dyn Array) -> Option<Vec<String>> {
        let values = column.as_primitive_opt::<T>()?;
        Some(values.iter().map(|value| value.map_or("\\N".to_owned(), |value| value.to_string())).collect())
    }
    numbers::<Int64Type>(column)
        .or_else(|| numbers::<Int32Type>(column))
        .or_else(|| numbers::<Float64Type>(column))
        .or_else(|| numbers::<Decimal128Type>(column))
        .or_else(|| numbers::<Date32Type>(column))
        .or_else(|| numbers::<TimestampMicrosecondType>(column))
        .or_else(|| Some(column.as_string_opt::<i32>()?.iter().map(|value| value.unwrap_or("\\N").to_owned()).collect()))
        .ok_or_else(|| Error::new(ErrorKind::FeatureUnsupported, format!("a column of {}", column.data_type())))
}

pub fn writer_field(id: i32, name: &str) -> NestedFieldRef {
    NestedField::required(id, name, Type::Primitive(PrimitiveType::Long)).into()
}

/// One row of a table of two numbers.
pub async fn write_one(table: &Table, writer: i64, n: i64) -> Result<Vec<DataFile>> {
    let schema = Arc::new(schema_to_arrow_schema(table.metadata().current_schema())?);
    let columns = [writer, n].map(|value| Arc::new(Int64Array::from(vec![value])) as Arc<dyn Array>);
    let batch = RecordBatch::try_new(schema, columns.to_vec()).map_err(|error| Error::new(ErrorKind::DataInvalid, error.to_string()))?;
    write(table, format!("row-{writer}-{n}"), vec![batch]).await
}
