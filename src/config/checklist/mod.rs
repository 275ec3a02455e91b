//! The six lists, a site's own file and the re-entry procedure, as files: `src/checklist/templates/*.toml`
//! and `src/procedure/office.toml`, built in.
//!
//! Whatever is wrong is said at once with its place and what to do. A template's text of a version that
//! sites have built on stays here for ever (`BUILT_IN` holds them all, oldest first), so that an upgrade
//! can be shown as a difference. Only [`load_template`] and [`load_site`] touch the disk; they read one
//! small file and block no longer than that.

pub(super) mod item;
mod procedure;
mod site;
pub(super) mod tree;

pub use site::Built;

use super::ConfigError;
use super::environment::text_of;
use crate::checklist::{Category, Group, SiteKind, SiteList, Template};
use crate::procedure::Procedure;
use item::{category, group, word_of};
use std::collections::BTreeMap;
use std::path::Path;
use tree::Reading;

/// Every version of every list, oldest first.
const BUILT_IN: [(SiteKind, &[&str]); 6] = [
    (
        SiteKind::Residential,
        &[include_str!("../../checklist/templates/residential.toml")],
    ),
    (
        SiteKind::Office,
        &[include_str!("../../checklist/templates/office.toml")],
    ),
    (
        SiteKind::StreetShop,
        &[include_str!("../../checklist/templates/street_shop.toml")],
    ),
    (
        SiteKind::PublicUnit,
        &[include_str!("../../checklist/templates/public_unit.toml")],
    ),
    (
        SiteKind::TalentApartment,
        &[include_str!(
            "../../checklist/templates/talent_apartment.toml"
        )],
    ),
    (
        SiteKind::Other,
        &[include_str!("../../checklist/templates/other.toml")],
    ),
];

/// The procedure that is built in.
const PROCEDURE: &str = include_str!("../../procedure/office.toml");

/// The procedure as shipped.
///
/// # Errors
/// Where it is none, which a test rules out.
pub fn shipped_procedure() -> Result<Procedure, ConfigError> {
    procedure::procedure(PROCEDURE, "procedure/office.toml")
}

/// Every version of one list, oldest first.
///
/// # Errors
/// Where one is none, which a test rules out.
pub fn versions(kind: SiteKind) -> Result<Vec<Template>, ConfigError> {
    let texts = BUILT_IN.iter().filter(|(it, _)| *it == kind);
    texts
        .flat_map(|(_, texts)| *texts)
        .map(|text| parse_template(text, kind.as_str()))
        .collect()
}

/// The newest version of one list.
///
/// # Errors
/// As [`versions`].
pub fn newest(kind: SiteKind) -> Result<Template, ConfigError> {
    let hint = "this is a fault of the program: please report it";
    let none = || ConfigError::unreadable(kind.as_str(), "has no list".to_owned(), hint);
    versions(kind)?.pop().ok_or_else(none)
}

/// The versions of one list that are built in and those of them that were sent, oldest first. A sent one with a
/// number that is built in is left out.
///
/// # Errors
/// As [`versions`].
pub fn versions_with(kind: SiteKind, sent: &[Template]) -> Result<Vec<Template>, ConfigError> {
    let mut all = versions(kind)?;
    for template in sent.iter().filter(|it| it.site == kind) {
        if all.iter().all(|it| it.version != template.version) {
            all.push(template.clone());
        }
    }
    all.sort_by_key(|it| it.version);
    Ok(all)
}

/// The lists that the street office has sent, from their texts. One that this program cannot read any more is
/// left out, which the log says.
#[must_use]
pub fn sent(texts: &[String]) -> Vec<Template> {
    let read = |text: &String| {
        parse_template(text, "a list that was sent")
            .inspect_err(|error| tracing::error!("{error}"))
            .ok()
    };
    texts.iter().filter_map(read).collect()
}

/// Reads a template's file.
///
/// # Errors
/// As [`parse_template`]; and where the file cannot be read.
pub fn load_template(path: &Path) -> Result<Template, ConfigError> {
    let name = path.display().to_string();
    parse_template(&text_of(path, &name)?, &name)
}

/// Reads a template's text; `file_name` is what errors call it.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it.
pub fn parse_template(text: &str, file_name: &str) -> Result<Template, ConfigError> {
    let procedure = shipped_procedure()?;
    Reading::whole(text, file_name, |read, root| {
        read.only(root, &["site", "version", "groups", "hours", "item"]);
        let site = read.must(root, "site", |word| {
            word_of(
                word,
                SiteKind::parse,
                SiteKind::ALL.iter().map(|it| it.as_str()),
            )
        });
        let version = read.version(root, "version");
        let hours = read.table(root, "hours");
        read.only(&hours, &["open", "shifts"]);
        let open = read.must(&hours, "open", str::parse);
        let shifts = read.list(&hours, "shifts", str::parse);
        let table = read.table(root, "groups");
        let mut groups: BTreeMap<Category, Group> = BTreeMap::new();
        let words: Vec<&str> = Category::ALL.iter().map(|it| it.as_str()).collect();
        read.only(&table, &words);
        for (word, _) in table.names() {
            let group = read.maybe(&table, word, group);
            if let (Ok(category), Some(group)) = (category(word), group) {
                groups.insert(category, group.value);
            }
        }
        let mut items = Vec::new();
        let mut places = Vec::new();
        for node in read.tables(root, "item") {
            if let Some(item) = item::item(read, &node, &groups, &procedure) {
                places.push((item.id.clone(), node.span.clone()));
                items.push(item);
            }
        }
        let shifts = shifts.into_iter().map(|it| it.value).collect();
        match Template::new(site?.value, version?.value, (open?.value, shifts), items) {
            Ok(template) => Some(template),
            Err(flaw) => {
                let place = places.iter().rev().find(|(id, _)| flaw.item() == Some(id));
                let span = place.map(|(_, span)| span.clone()).unwrap_or_default();
                read.problem(span, &flaw.to_string(), flaw.hint());
                None
            }
        }
    })
}

/// A site's list, on the version of the template that its file names.
#[derive(Clone, Debug)]
pub struct Site {
    /// What its file says of itself.
    pub built: Built,
    /// The list.
    pub list: SiteList,
    text: String,
    name: String,
}

impl Site {
    /// The same file on another version of its template.
    ///
    /// # Errors
    /// What of the file does not go with that version.
    pub fn on(&self, template: &Template) -> Result<SiteList, ConfigError> {
        let procedure = shipped_procedure()?;
        site::list(&self.text, &self.name, Some(template), &[], &procedure)
    }
}

/// Reads a site's file, which may be built on a list that was sent.
///
/// # Errors
/// As [`parse_site`]; and where the file cannot be read.
pub fn load_site(path: &Path, sent: &[Template]) -> Result<Site, ConfigError> {
    let name = path.display().to_string();
    read_site(&text_of(path, &name)?, &name, sent)
}

/// Reads the text of a site's file; `file_name` is what errors call it.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it: what cannot be read, a required item that is
/// dropped or weakened, a version of the template that is not known.
pub fn parse_site(text: &str, file_name: &str) -> Result<Site, ConfigError> {
    read_site(text, file_name, &[])
}

fn read_site(text: &str, file_name: &str, sent: &[Template]) -> Result<Site, ConfigError> {
    let built = site::built(text, file_name)?;
    let versions = versions_with(built.kind, sent)?;
    let known: Vec<u32> = versions.iter().map(|it| it.version).collect();
    let template = versions.iter().find(|it| it.version == built.on);
    let procedure = shipped_procedure()?;
    Ok(Site {
        built,
        list: site::list(text, file_name, template, &known, &procedure)?,
        text: text.to_owned(),
        name: file_name.to_owned(),
    })
}
