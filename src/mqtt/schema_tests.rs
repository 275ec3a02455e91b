//! The form of every payload stands in `deploy/mqtt`, for whoever writes the other end. After a change:
//! `MENSHEN_WRITE_SCHEMAS=1 cargo test --lib schema`.

use super::{answer, inbound, payload};
use schemars::schema_for;
use std::path::Path;

#[test]
fn the_schemas_that_are_shipped_are_those_of_the_payloads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/mqtt");
    let mut all = payload::schemas::all();
    all.extend([
        ("event-command", schema_for!(answer::AnswerPayload<'_>)),
        ("ack", schema_for!(inbound::ReceiptPayload)),
        ("cmd", schema_for!(inbound::CommandPayload)),
    ]);
    for (name, schema) in &all {
        let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
        let file = folder.join(format!("{name}.schema.json"));
        if std::env::var_os("MENSHEN_WRITE_SCHEMAS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let shipped = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(shipped, text, "{}", file.display());
    }
    let shipped = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(shipped, all.len(), "one file for each, and no other");
}
