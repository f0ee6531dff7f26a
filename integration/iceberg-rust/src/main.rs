//! iceberg-rust through the catalog: each command is one scenario; what it prints is compared by the test that runs it.

mod documented {
    include!(concat!(env!("OUT_DIR"), "/documented.rs"));
}
mod rows;

use std::{collections::HashMap, env, sync::Arc};

use futures::future::try_join_all;
use iceberg::spec::{PrimitiveType, Type};
use iceberg::transaction::{AddColumn, ApplyTransactionAction, Transaction};
use iceberg::{Catalog, ErrorKind, NamespaceIdent, Result, TableCreation, TableIdent};

/// A documented value, with the address and the keys of the server under test.
pub fn tested(documented: &str) -> String {
    let setting = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    documented
        .replace("http://127.0.0.1:9000", &setting("TEST_ENDPOINT"))
        .replace("ACCESS_KEY", &setting("TEST_ACCESS_KEY"))
        .replace("SECRET_KEY", &setting("TEST_SECRET_KEY"))
}

/// `a.b.c`: the table `c` in the namespace `a.b`.
fn table_name(text: &str) -> Result<TableIdent> {
    TableIdent::from_strs(text.split('.'))
}

async fn namespaces(catalog: &impl Catalog) -> Result<()> {
    let outer = NamespaceIdent::new("rust_outer".to_owned());
    let inner = NamespaceIdent::from_strs(["rust_outer", "inner"])?;
    catalog.create_namespace(&outer, HashMap::from([("owner".to_owned(), "integration".to_owned())])).await?;
    catalog.create_namespace(&inner, HashMap::new()).await?;
    assert_eq!(catalog.get_namespace(&outer).await?.properties().get("owner").map(String::as_str), Some("integration"));
    assert!(catalog.list_namespaces(None).await?.contains(&outer));
    assert_eq!(catalog.list_namespaces(Some(&outer)).await?, [inner.clone()]);
    let again = catalog.create_namespace(&outer, HashMap::new()).await.expect_err("a second namespace of one name");
    assert_eq!(again.kind(), ErrorKind::NamespaceAlreadyExists);
    catalog.drop_namespace(&inner).await?;
    assert!(!catalog.namespace_exists(&inner).await?);
    catalog.drop_namespace(&outer).await?;
    let absent = catalog.get_namespace(&outer).await.expect_err("a dropped namespace");
    assert_eq!(absent.kind(), ErrorKind::NamespaceNotFound);
    Ok(())
}

/// Create `target` with the schema of `source` and append its rows: a commit for each half of the year.
async fn copy(catalog: &impl Catalog, source: &str, target: &str) -> Result<()> {
    let source = catalog.load_table(&table_name(source)?).await?;
    let name = table_name(target)?;
    let creation =
        TableCreation::builder().name(name.name().to_owned()).schema(source.metadata().current_schema().as_ref().clone()).build();
    let mut copy = catalog.create_table(name.namespace(), creation).await?;
    for half in [0, 1] {
        let files = rows::copy_half(&source, &copy, half).await?;
        let transaction = Transaction::new(&copy);
        copy = transaction.fast_append().add_data_files(files).apply(transaction)?.commit(catalog).await?;
    }
    assert_eq!(copy.metadata().snapshots().count(), 2);
    Ok(())
}

/// The names, the number and the sum of the distances of the rows now, and at the oldest snapshot.
async fn totals(catalog: &impl Catalog, name: &str) -> Result<()> {
    let table = catalog.load_table(&table_name(name)?).await?;
    let oldest = table.metadata().snapshots().min_by_key(|snapshot| snapshot.sequence_number()).expect("a snapshot").snapshot_id();
    for scan in [table.scan(), table.scan().snapshot_id(oldest)] {
        let (count, distance) = rows::totals(scan.select(["distance"]).build()?).await?;
        println!("{count} {distance}");
    }
    Ok(())
}

/// The rows of some columns of a table.
async fn print_rows(catalog: &impl Catalog, name: &str, columns: &[&str]) -> Result<()> {
    let table = catalog.load_table(&table_name(name)?).await?;
    for line in rows::lines(table.scan().select(columns.iter().copied()).build()?).await? {
        println!("{line}");
    }
    Ok(())
}

/// Several tasks append to one table at once, each as often.
async fn race(catalog: &impl Catalog, name: &str, tasks: i64, appends: i64) -> Result<()> {
    let name = table_name(name)?;
    let schema = iceberg::spec::Schema::builder().with_fields([rows::writer_field(1, "writer"), rows::writer_field(2, "n")]).build()?;
    let properties =
        [("commit.retry.num-retries", "50"), ("commit.retry.min-wait-ms", "5")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    catalog
        .create_table(name.namespace(), TableCreation::builder().name(name.name().to_owned()).schema(schema).properties(properties).build())
        .await?;
    try_join_all((0..tasks).map(|writer| {
        let name = name.clone();
        async move {
            for n in 0..appends {
                let table = catalog.load_table(&name).await?;
                let files = rows::write_one(&table, writer, n).await?;
                let transaction = Transaction::new(&table);
                transaction.fast_append().add_data_files(files).apply(transaction)?.commit(catalog).await?;
            }
            Result::Ok(())
        }
    }))
    .await?;
    Ok(())
}

async fn evolve(catalog: &impl Catalog, name: &str) -> Result<()> {
    let table = catalog.load_table(&table_name(name)?).await?;
    let transaction = Transaction::new(&table);
    let column = AddColumn::optional("note", Type::Primitive(PrimitiveType::String));
    let transaction = transaction.update_schema().add_column(column).apply(transaction)?;
    let transaction = transaction.update_table_properties().set("owner".to_owned(), "integration".to_owned()).apply(transaction)?;
    let table = transaction.commit(catalog).await?;
    assert!(table.metadata().current_schema().field_by_name("note").is_some());
    assert_eq!(table.metadata().properties().get("owner").map(String::as_str), Some("integration"));
    let transaction = Transaction::new(&table);
    let expiry = transaction.expire_snapshots().expire_older_than_ms(i64::MAX).retain_last(1);
    let table = expiry.apply(transaction)?.commit(catalog).await?;
    assert_eq!(table.metadata().snapshots().count(), 1);
    Ok(())
}

/// Two clients change a table that both loaded: the second is refused, and makes its change on what it finds.
async fn conflict(catalog: &impl Catalog, name: &str) -> Result<()> {
    let loaded = catalog.load_table(&table_name(name)?).await?;
    let change = |column: &str| {
        let transaction = Transaction::new(&loaded);
        let added = AddColumn::optional(column, Type::Primitive(PrimitiveType::Long));
        transaction.update_schema().add_column(added).apply(transaction)
    };
    let (first, second) = (change("first")?, change("second")?);
    first.commit(catalog).await?;
    let table = second.commit(catalog).await?;
    for column in ["first", "second"] {
        assert!(table.metadata().current_schema().field_by_name(column).is_some(), "{column} is lost");
    }
    Ok(())
}

/// Rename, register, list and drop.
async fn names(catalog: &impl Catalog, name: &str) -> Result<()> {
    let first = table_name(name)?;
    let space = first.namespace();
    let second = TableIdent::new(space.clone(), "renamed".to_owned());
    catalog.rename_table(&first, &second).await?;
    assert!(!catalog.table_exists(&first).await? && catalog.table_exists(&second).await?);
    assert!(catalog.list_tables(space).await?.contains(&second));
    let schema = catalog.load_table(&second).await?.metadata().current_schema().as_ref().clone();
    let again = catalog.create_table(space, TableCreation::builder().name("renamed".to_owned()).schema(schema).build()).await;
    assert_eq!(again.expect_err("a second table of one name").kind(), ErrorKind::TableAlreadyExists);
    let location = catalog.load_table(&second).await?.metadata_location_result()?.to_owned();
    catalog.drop_table(&second).await?;
    assert_eq!(catalog.load_table(&second).await.expect_err("a dropped table").kind(), ErrorKind::TableNotFound);
    let registered = catalog.register_table(&first, location.clone()).await?;
    assert_eq!(registered.metadata_location_result()?, location);
    catalog.drop_table(&first).await?;
    assert!(!catalog.list_tables(space).await?.contains(&first));
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let catalog = Arc::new(documented::connect().await?);
    let catalog = catalog.as_ref();
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["namespaces"] => namespaces(catalog).await,
        ["copy", source, target] => copy(catalog, source, target).await,
        ["rows", name, columns @ ..] => print_rows(catalog, name, columns).await,
        ["totals", name] => totals(catalog, name).await,
        ["race", name, tasks, appends] => race(catalog, name, tasks.parse().expect("a number"), appends.parse().expect("a number")).await,
        ["evolve", name] => evolve(catalog, name).await,
        ["conflict", name] => conflict(catalog, name).await,
        ["names", name] => names(catalog, name).await,
        other => panic!("no such scenario: {other:?}"),
    }
}
