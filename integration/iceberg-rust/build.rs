//! Compiles the block of docs/engines.md into the program, with the address and the keys of the server under test.

use std::{env, fs, path::Path};

const PAGE: &str = "../../docs/engines.md";
const DOCUMENTED: [&str; 3] = ["127.0.0.1:9000", "ACCESS_KEY", "SECRET_KEY"];

/// The block of Rust in the page's section.
fn block(page: &str) -> Option<&str> {
    let section = page.split("\n## ").find(|text| text.starts_with("iceberg-rust\n"))?;
    section.split("```rust\n").nth(1)?.split("```").next()
}

/// The block with calls in the place of the strings that differ between servers.
fn with_tested_values(block: &str) -> String {
    let parts = block.split('"').enumerate().map(|(place, text)| match place % 2 {
        0 => text.to_owned(),
        _ if DOCUMENTED.iter().any(|value| text.contains(value)) => format!("crate::tested(\"{text}\")"),
        _ => format!("\"{text}\""),
    });
    parts.collect()
}

fn main() {
    println!("cargo:rerun-if-changed={PAGE}");
    let page = fs::read_to_string(PAGE).expect("the page of engines");
    let code = with_tested_values(block(&page).expect("a block of Rust"));
    // First what it imports, then the statement that defines `catalog`.
    let (imports, statement) = code.split_at(code.find("let catalog").expect("a catalog"));
    let module = format!("{imports}\npub async fn connect() -> iceberg::Result<impl iceberg::Catalog> {{\n{statement}\nOk(catalog)\n}}\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("OUT_DIR")).join("documented.rs"), module).expect("the generated module");
}
