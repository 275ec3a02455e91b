//! The procedure's file.

use super::item::{both, word_of};
use super::tree::{Node, Reading};
use crate::config::ConfigError;
use crate::procedure::{Clause, EmergencyStep, Live, Procedure, StepId};

/// Reads a procedure.
pub(super) fn procedure(text: &str, file_name: &str) -> Result<Procedure, ConfigError> {
    Reading::whole(text, file_name, |read, root| {
        read.only(root, &["version", "clause", "step"]);
        let version = read.version(root, "version");
        let mut clauses = Vec::new();
        for node in read.tables(root, "clause") {
            clauses.extend(clause(read, &node));
        }
        let mut steps = Vec::new();
        for node in read.tables(root, "step") {
            steps.extend(step(read, &node));
        }
        match Procedure::new(version?.value, clauses, steps) {
            Ok(procedure) => Some(procedure),
            Err(flaw) => {
                let hint =
                    "each of the six chapters has a clause, and each number and id is there once";
                read.problem(0..0, &flaw.to_string(), hint);
                None
            }
        }
    })
}

fn clause<'t>(read: &mut Reading<'t>, node: &Node<'_, 't>) -> Option<Clause> {
    read.only(node, &["number", "zh", "en", "live"]);
    let id = read.must(node, "number", str::parse);
    let what = both(read, node);
    let live = read.must(node, "live", |word| {
        word_of(word, Live::parse, Live::ALL.iter().map(|it| it.as_str()))
    });
    Some(Clause {
        id: id?.value,
        what: what?,
        live: live?.value,
        own: false,
    })
}

fn step<'t>(read: &mut Reading<'t>, node: &Node<'_, 't>) -> Option<EmergencyStep> {
    read.only(node, &["id", "clause", "zh", "en", "if_confirmed"]);
    let id = read.must(node, "id", |text| {
        StepId::new(text).ok_or_else(|| {
            format!("\"{text}\" is no id; write 3 to 40 of the characters a-z 0-9 and -")
        })
    });
    let clause = read.must(node, "clause", str::parse);
    let what = both(read, node);
    let if_confirmed = read.flag(node, "if_confirmed");
    Some(EmergencyStep {
        id: id?.value,
        clause: clause?.value,
        what: what?,
        if_confirmed: if_confirmed.is_some_and(|it| it.value),
    })
}
