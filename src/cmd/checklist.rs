//! `menshen checklist`: the six lists as they are shipped, and whether a site's own file goes with them.
//!
//! Reads the lists that are built in and the files that are named; opens nothing else.

use super::say;
use crate::checklist::{Category, Diff, Duty, Item, Place, SiteKind, Template};
use crate::config::checklist as files;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with the lists.
#[derive(Debug, Subcommand)]
pub enum Checklist {
    /// Print the six lists and how many items each has.
    Templates(TemplatesArgs),
    /// Check a site's own file, and show what a newer list would change.
    Check(CheckArgs),
}

/// Arguments of `menshen checklist templates`.
#[derive(Args, Debug)]
pub struct TemplatesArgs {
    /// Print one JSON array with every item.
    #[arg(long)]
    json: bool,
}

/// Arguments of `menshen checklist check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The site's own file.
    #[arg(value_name = "SITE_FILE")]
    site: PathBuf,
    /// A template's file to compare with, or that the site's file is built on; without it the newest one that is
    /// built in.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
}

/// Does it.
///
/// # Errors
/// Where a file cannot be read or used; or where standard output cannot be written.
pub fn run(what: &Checklist) -> anyhow::Result<ExitCode> {
    match what {
        Checklist::Templates(args) => templates(args),
        Checklist::Check(args) => check(args),
    }
}

/// A list in JSON.
#[derive(Serialize)]
struct ListReport {
    site: &'static str,
    title_zh: &'static str,
    title_en: &'static str,
    version: u32,
    items: Vec<ItemReport>,
}

/// An item in JSON.
#[derive(Serialize)]
struct ItemReport {
    id: String,
    category: &'static str,
    category_zh: &'static str,
    required: bool,
    zh: String,
    en: String,
    who: &'static str,
    place: Option<&'static str>,
    group: &'static str,
    when: String,
    proof: String,
    clause: Option<String>,
    source: Option<String>,
}

impl From<&Item> for ItemReport {
    fn from(item: &Item) -> Self {
        Self {
            id: item.id.to_string(),
            category: item.category.as_str(),
            category_zh: item.category.zh(),
            required: item.duty == Duty::Required,
            zh: item.what.zh.clone(),
            en: item.what.en.clone(),
            who: item.role.as_str(),
            place: item.place.map(Place::as_str),
            group: item.group.as_str(),
            when: item.schedule.to_string(),
            proof: item.proof.to_string(),
            clause: item.clause.map(|clause| clause.to_string()),
            source: item.source.clone(),
        }
    }
}

fn templates(args: &TemplatesArgs) -> anyhow::Result<ExitCode> {
    let mut lists = Vec::new();
    for kind in SiteKind::ALL {
        lists.push(files::newest(*kind)?);
    }
    let text = if args.json {
        let reports: Vec<ListReport> = lists
            .iter()
            .map(|list| ListReport {
                site: list.site.as_str(),
                title_zh: list.site.zh(),
                title_en: list.site.en(),
                version: list.version,
                items: list.items().iter().map(ItemReport::from).collect(),
            })
            .collect();
        serde_json::to_string_pretty(&reports)? + "\n"
    } else {
        table(&lists)
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// How many items each list has, category by category.
fn table(lists: &[Template]) -> String {
    let mut text = String::from("required 规定动作 + optional 自选动作\n");
    for list in lists {
        let count = |duty| list.items().iter().filter(|it| it.duty == duty).count();
        let (site, version) = (list.site, list.version);
        let (required, optional) = (count(Duty::Required), count(Duty::Optional));
        let _ = writeln!(
            text,
            "\n{} {} · {} · version {version}: {required} + {optional}",
            site.zh(),
            site.en(),
            site.as_str(),
        );
        for category in Category::ALL {
            let (required, optional) = list.count(*category);
            if required + optional > 0 {
                let (zh, en) = (category.zh(), category.en());
                let _ = writeln!(text, "  {required:>2} + {optional}  {zh} {en}");
            }
        }
    }
    text
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    // A site may be built on a list that the street office has sent, of which it has the file.
    let given = args
        .template
        .as_deref()
        .map(files::load_template)
        .transpose()?;
    let site = files::load_site(&args.site, given.as_slice())?;
    let list = &site.list;
    let kind = site.built.kind;
    let count = |duty| list.items().iter().filter(|it| it.duty == duty).count();
    let own = list.items().iter().filter(|it| it.id.is_own()).count();
    let mut text = format!(
        "usable: {} {}, built on version {}: {} required and {} optional items, {own} of them the \
         site's own\n",
        kind.zh(),
        kind.en(),
        site.built.on,
        count(Duty::Required),
        count(Duty::Optional),
    );
    let unowned = list.unowned();
    if !unowned.is_empty() {
        let ids: Vec<&str> = unowned.iter().map(|id| id.as_str()).collect();
        let _ = writeln!(
            text,
            "warning: nobody owns {} required items, so the list cannot be signed: {}\n\
             hint: name people below [owners.category] or [owners.item]",
            ids.len(),
            ids.join(", ")
        );
    }
    let newer = match given {
        Some(given) => given,
        None => files::newest(kind)?,
    };
    anyhow::ensure!(
        newer.site == kind,
        "the template is for {}, the site is {}\nhint: name the template of the same kind of site",
        newer.site.as_str(),
        kind.as_str()
    );
    let mut exit = ExitCode::SUCCESS;
    if newer != *list.template() {
        let diff = Diff::between(list.template().items(), newer.items());
        let _ = write!(
            text,
            "\nfrom version {} to version {} of the list:\n{diff}",
            site.built.on, newer.version
        );
        match site.on(&newer) {
            Ok(_) => {
                let _ = writeln!(
                    text,
                    "the site's file goes with it: write built_on = {}",
                    newer.version
                );
            }
            Err(error) => {
                let _ = writeln!(text, "the site's file does not go with it yet:\n{error}");
                exit = ExitCode::FAILURE;
            }
        }
    }
    say(&text)?;
    Ok(exit)
}
